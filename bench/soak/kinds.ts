import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { BadToken, Caller, Callers } from './callers.ts';
import { type Loss, type SoakAnswer, SoakConnection } from './connection.ts';
import { isLoss, type Tally } from './tally.ts';
import { type Echo, LARGE, REFUSED } from './upstream.ts';

/** What a kind of request works with. */
export interface Surroundings {
  readonly port: number;
  readonly callers: Callers;
  readonly tally: Tally;
  /** A number that no other request has. */
  number(): number;
}

/** A kind of request: how many of ten thousand are of it, and what it does on a connection that stays open after it. */
export interface Kind {
  readonly name: string;
  readonly share: number;
  run(connection: SoakConnection, around: Surroundings): Promise<void>;
}

/** Bytes of bodies that are sent: parts of this. */
const BYTES = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 7919) >>> 3));

const NOBODY: Caller = { username: '', sub: '', groups: '', token: '' };

interface Sending {
  readonly method?: string;
  readonly target: string;
  readonly id: string;
  readonly token?: string | undefined;
  readonly lines?: readonly string[];
}

function head({ method = 'GET', target, id, token, lines = [] }: Sending): string {
  const all = [`${method} ${target} HTTP/1.1`, 'Host: api.example.com', `X-Soak-Id: ${id}`, ...lines];
  // What a caller says of itself must never arrive.
  all.push('X-Cognito-Sub: somebody-else', 'X_Cognito_Groups: admins', 'x-cognito-username: root');
  if (token !== undefined) all.push(`Authorization: Bearer ${token}`);
  return `${all.join('\r\n')}\r\n\r\n`;
}

/** Judges an answer that the upstream is to have made for exactly this request. */
function judge(
  { tally }: Surroundings,
  kind: string,
  result: SoakAnswer | Loss,
  expected: Omit<Echo, 'length' | 'sum'>,
  sent: Buffer = Buffer.alloc(0),
): void {
  if (isLoss(result)) {
    tally.lost(kind, result);
    return;
  }
  const whole: Echo = { ...expected, length: sent.length, sum: crc32(sent) };
  const text = JSON.stringify(whole);
  if (result.status === 200 && result.body.startsWith(text)) tally.right(kind);
  else tally.wrong(kind, `${result.status} ${result.body.slice(0, 300)} instead of ${text}`);
}

function told(id: string, target: string, { sub, username, groups }: Caller): Omit<Echo, 'length' | 'sum'> {
  return { id, sub, username, groups, target };
}

/** A GET that is let through as this caller's. */
function reading(name: string, share: number, path: string, anonymous = false): Kind {
  return {
    name,
    share,
    async run(connection, around) {
      const number = around.number();
      const id = `id-${number}`;
      const caller = anonymous ? NOBODY : around.callers.next();
      const target = `${path}${number}?n=${number}`;
      const token = anonymous ? undefined : caller.token;
      const result = await connection.ask(head({ target, id, token }));
      judge(around, name, result, told(id, target, caller));
    },
  };
}

/** A request that is refused with this status and code, and is never to arrive. */
function refused(
  name: string,
  share: number,
  sending: (around: Surroundings) => Omit<Sending, 'id'> | null,
  status: number,
  code: string,
): Kind {
  return {
    name,
    share,
    async run(connection, around) {
      const made = sending(around);
      if (made === null) return;
      const id = `${REFUSED}${around.number()}`;
      const result = await connection.ask(head({ ...made, id }));
      if (isLoss(result)) around.tally.lost(name, result);
      else if (result.status === status && result.body.includes(`"code":"${code}"`)) around.tally.right(name);
      else
        around.tally.wrong(
          name,
          `${result.status} ${result.body.slice(0, 300)} instead of ${status} ${code}`,
        );
    },
  };
}

function badToken(what: BadToken, share: number, code: string): Kind {
  const sending = ({ callers }: Surroundings) => {
    const token = callers.bad(what);
    return token === undefined ? null : { target: '/items/1', token };
  };
  return refused(`token: ${what}`, share, sending, 401, code);
}

/** A POST whose body is sent in so many parts, with pauses of so many milliseconds. */
function writing(name: string, share: number, most: number, parts = 1, pause = 0): Kind {
  return {
    name,
    share,
    async run(connection, around) {
      const number = around.number();
      const id = `id-${number}`;
      const caller = around.callers.next();
      const target = `/items/${number}`;
      const body = BYTES.subarray(0, 1 + ((number * 7919) % most));
      const lines = [`Content-Length: ${body.length}`];
      const start = head({ method: 'POST', target, id, token: caller.token, lines });
      const size = Math.ceil(body.length / parts);
      const answer = connection.ask(Buffer.concat([Buffer.from(start), body.subarray(0, size)]));
      for (let at = size; at < body.length; at += size) {
        await sleep(pause);
        connection.send(body.subarray(at, at + size));
      }
      judge(around, name, await answer, told(id, target, caller), body);
    },
  };
}

/** A client that goes: at once, with its request half sent, while it waits, or in the middle of the answer. */
const leaving: Kind = {
  name: 'client leaves',
  share: 100,
  async run(_, { port, callers, number, tally }) {
    const own = new SoakConnection(port);
    const count = number();
    const { token } = callers.next();
    const whole = head({
      target: `/items/${['late', 'large', 'x'][count % 3]}/${count}`,
      id: `id-${count}`,
      token,
    });
    const sent = count % 4 === 0 ? whole.slice(0, count % whole.length) : whole;
    // Nothing it is answered is an answer that somebody waits for.
    void own.ask(sent);
    await sleep(count % 40);
    if (count % 2 === 0) own.reset();
    else own.close();
    tally.right(this.name);
  },
};

/** A large answer that the client takes its time to read. */
const slowReader: Kind = {
  name: 'client reads slowly',
  share: 10,
  async run(_, around) {
    const own = new SoakConnection(around.port);
    const number = around.number();
    const caller = around.callers.next();
    const target = `/items/large/${number}`;
    const answer = own.ask(head({ target, id: `id-${number}`, token: caller.token }));
    for (let i = 0; i < 10; i++) {
      own.socket.pause();
      await sleep(100);
      own.socket.resume();
      await sleep(5);
    }
    const result = await answer;
    own.close();
    if (!isLoss(result) && result.body.length !== LARGE) around.tally.wrong(this.name, 'another length');
    else judge(around, this.name, result, told(`id-${number}`, target, caller));
  },
};

/** A header section that comes in pieces. */
const slowHead: Kind = {
  name: 'client asks slowly',
  share: 10,
  async run(_, around) {
    const own = new SoakConnection(around.port);
    const number = around.number();
    const caller = around.callers.next();
    const target = `/items/${number}`;
    const bytes = head({ target, id: `id-${number}`, token: caller.token });
    const size = Math.ceil(bytes.length / 10);
    const answer = own.ask(bytes.slice(0, size));
    for (let at = size; at < bytes.length; at += size) {
      await sleep(100);
      own.send(bytes.slice(at, at + size));
    }
    judge(around, this.name, await answer, told(`id-${number}`, target, caller));
    own.close();
  },
};

/** A connection for one request: new, and closed after it. */
const alone: Kind = {
  name: 'on a connection of its own',
  share: 100,
  async run(_, around) {
    const own = new SoakConnection(around.port);
    const number = around.number();
    const caller = around.callers.next();
    const target = `/items/${number}`;
    const lines = ['Connection: close'];
    const result = await own.ask(head({ target, id: `id-${number}`, token: caller.token, lines }));
    judge(around, this.name, result, told(`id-${number}`, target, caller));
    own.close();
  },
};

const asCaller =
  (target: string, method = 'GET') =>
  ({ callers }: Surroundings) => ({
    target,
    method,
    token: callers.next().token,
  });

/** All kinds; the first has what the others leave of the ten thousand. */
export const KINDS: readonly Kind[] = [
  reading('read', 0, '/items/'),
  reading('public', 300, '/public/', true),
  reading('answered late', 100, '/items/late/'),
  reading('large', 50, '/items/large/'),
  writing('write', 500, 8_192),
  writing('write much', 30, 65_536),
  writing('client writes slowly', 10, 4_096, 10, 100),
  badToken('forged', 200, 'AUTHN_SIGNATURE_INVALID'),
  badToken('expired', 200, 'AUTHN_TOKEN_EXPIRED'),
  badToken('elsewhere', 100, 'AUTHN_CLIENT_MISMATCH'),
  badToken('invented', 100, 'AUTHN_KEY_UNKNOWN'),
  badToken('removed', 50, 'AUTHN_KEY_UNKNOWN'),
  refused('no token', 300, () => ({ target: '/items/1' }), 401, 'AUTHN_TOKEN_MISSING'),
  refused('not in the group', 300, asCaller('/admin/1'), 403, 'AUTHZ_GROUP_REQUIRED'),
  refused('no route', 100, asCaller('/nowhere'), 404, 'ROUTE_NOT_FOUND'),
  refused('no such method', 50, asCaller('/items/1', 'PATCH'), 405, 'ROUTE_METHOD_NOT_ALLOWED'),
  refused('odd path', 100, asCaller('/items/../admin/1'), 400, 'REQUEST_PATH_AMBIGUOUS'),
  upstreamFails(),
  leaving,
  slowReader,
  slowHead,
  alone,
];

/** The upstream drops the connection: 502, and the POST is not sent again. */
function upstreamFails(): Kind {
  const name = 'upstream resets';
  return {
    name,
    share: 20,
    async run(connection, around) {
      const number = around.number();
      const { token } = around.callers.next();
      const lines = ['Content-Length: 0'];
      const target = `/items/reset/${number}`;
      const result = await connection.ask(head({ method: 'POST', target, id: `id-${number}`, token, lines }));
      if (isLoss(result)) around.tally.lost(name, result);
      else if (result.status === 502 && result.body.includes('"code":"UPSTREAM_RESET"'))
        around.tally.right(name);
      else around.tally.wrong(name, `${result.status} ${result.body.slice(0, 300)}`);
    },
  };
}

/** Chooses kinds by their shares, in an order that is the same each time. */
export function createChooser(kinds: readonly Kind[] = KINDS): () => Kind {
  const [first, ...others] = kinds as readonly [Kind, ...Kind[]];
  const ballot: Kind[] = others.flatMap((kind) => Array<Kind>(kind.share).fill(kind));
  while (ballot.length < 10_000) ballot.push(first);
  let at = 0;
  // 7919 is prime to the length, so that each is drawn once before any is drawn again.
  return () => ballot[(at++ * 7919) % ballot.length] as Kind;
}
