/**
 * Generated answers of an upstream, read by the proxy and by Node's own client: what the proxy hands on whole, Node must have read
 * whole and alike; and what is put together by the rules must be handed on, in whatever packets it comes.
 */
import { type IncomingMessage, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generatedCases } from '../support/generated-cases.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { type Answer, chunk, script } from '../support/upstream-answers.ts';

const { timeout, ...parameters } = generatedCases(700);

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    upstreams: { board: { retries: 0 } },
    routes: [OPEN_ROUTE],
    log: { level: 'silent' },
  });
});
afterAll(() => proxy.stop());

/** What a client made of an answer. */
interface Reading {
  readonly status: number;
  readonly body: string;
}

const METHODS = ['GET', 'HEAD', 'DELETE'] as const;
type Method = (typeof METHODS)[number];

const STATUSES = ['200 OK', '200', '206 Partial', '404 Not Found', '500 Error', '204 None', '304 Same'];
const FIELDS = ['Server: x', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Empty:', 'X-A: \tb ', 'ETag: "x"'];
const INTERIM = ['HTTP/1.1 102 Processing\r\n\r\n', 'HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n'];

/** No semicolon is among what is generated: of extensions of chunks, which mean nothing, Node takes fewer than we pass over. */
const text = fc.string({ unit: fc.constantFrom(...'ab\r\n0: H'), maxLength: 40 });

/** An answer by the rules, and how it must be read. */
const proper = fc
  .record({
    method: fc.constantFrom(...METHODS),
    interim: fc.array(fc.constantFrom(...INTERIM), { maxLength: 2 }),
    status: fc.constantFrom(...STATUSES),
    fields: fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }),
    framing: fc.constantFrom('length', 'chunks', 'end'),
    pieces: fc.array(text, { maxLength: 4 }),
    trailer: fc.constantFrom('', 'X-Sum: 1\r\n'),
  })
  .map(({ method, interim, status, fields, framing, pieces, trailer }) => {
    const content = pieces.join('');
    const none = method === 'HEAD' || /^(204|304)/.test(status);
    const lines = [`HTTP/1.1 ${status}`, ...fields];
    if (framing === 'length') lines.push(`Content-Length: ${content.length}`);
    if (framing === 'chunks') lines.push('Transfer-Encoding: chunked');
    const chunks = pieces.filter((piece) => piece !== '').map(chunk);
    const body = framing === 'chunks' ? `${chunks.join('')}0\r\n${trailer}\r\n` : content;
    const bytes = `${interim.join('')}${lines.join('\r\n')}\r\n\r\n${none ? '' : body}`;
    return { method, bytes, reading: { status: Number(status.slice(0, 3)), body: none ? '' : content } };
  });

const ODD = ['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', '0', '1', 'f', '-', '\x80', 'HTTP/1.1 '];
const ODD_LINES = [
  ...[
    'Content-Length: 3',
    'Content-Length: 0',
    'content-length: 3, 3',
    'Content-Length:3 ',
    'Content-Length: 3;',
  ],
  ...['Transfer-Encoding: chunked', 'transfer-encoding: gzip', 'Transfer-Encoding: gzip, chunked'],
  ...[
    'Transfer-Encoding: chunked, identity',
    ' folded',
    'Connection: close',
    'Connection: upgrade',
    'Upgrade: x',
  ],
].map((line) => `${line}\r\n`);

/**
 * Where the two differ and nothing comes of it. Node takes nothing more from a connection of which an interim answer says that it
 * closes, as those of HTTP/1.0 do; to us only the last one's word counts. And Node keeps a tab behind a value, which RFC 9110 section 5.5 takes away.
 */
const KNOWN_DIFFERENCES = [
  /HTTP\/1\.0 1\d\d/,
  /HTTP\/1\.1 1\d\d[^\r\n]*\r\n(?:[^\r\n]+\r\n)*connection: close/i,
  /(?:content-length|transfer-encoding):[^\r\n]*\t\r\n/i,
];

const at = fc.nat(1_000);
const place = (bytes: string, i: number): number => i % (bytes.length + 1);

/** What may become of bytes on their way out of a careless upstream. */
const change: fc.Arbitrary<(bytes: string) => string> = fc.oneof(
  fc.tuple(at, fc.constantFrom(...ODD)).map(([i, odd]) => insertAt(i, odd)),
  fc.tuple(at, fc.constantFrom(...ODD)).map(([i, odd]) => (bytes: string) => {
    const p = place(bytes, i);
    return bytes.slice(0, p) + odd + bytes.slice(p + odd.length);
  }),
  fc.tuple(at, fc.integer({ min: 1, max: 3 })).map(([i, n]) => (bytes: string) => {
    const p = place(bytes, i);
    return bytes.slice(0, p) + bytes.slice(p + n);
  }),
  fc.constantFrom(...ODD_LINES).map((line) => (bytes: string) => bytes.replace('\r\n', `\r\n${line}`)),
  at.map((i) => (bytes: string) => bytes.slice(0, place(bytes, i))),
);

function insertAt(i: number, odd: string): (bytes: string) => string {
  return (bytes) => bytes.slice(0, place(bytes, i)) + odd + bytes.slice(place(bytes, i));
}

it('what the proxy hands on whole, Node has read whole and alike', { timeout }, async () => {
  let whole = 0;
  const mutant = fc
    .tuple(proper, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([{ method, bytes }, changes]) => ({
      method,
      bytes: changes.reduce((changed, apply) => apply(changed), bytes),
    }))
    .filter(({ bytes }) => !KNOWN_DIFFERENCES.some((known) => known.test(bytes)));
  await fc.assert(
    fc.asyncProperty(mutant, async ({ method, bytes }) => {
      proxy.upstream.on('/answer', pieces(bytes, []));
      const ours = await readThroughProxy(method);
      if (ours === null) return;
      whole += 1;
      expect(await nodeReads(method, bytes, ours), JSON.stringify(ours)).toBe(true);
    }),
    parameters,
  );
  // The property would hold as well if nothing were handed on.
  expect(whole).toBeGreaterThan(parameters.numRuns / 20);
});

it('an answer by the rules is handed on, in whatever packets it comes', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(proper, fc.array(at, { maxLength: 6 }), async ({ method, bytes, reading }, cuts) => {
      proxy.upstream.on('/answer', pieces(bytes, cuts));
      expect(await readThroughProxy(method)).toEqual(reading);
    }),
    parameters,
  );
});

it.each([
  ['a length', 'HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody'],
  [
    'chunks',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('bo')}2;x=y\r\ndy\r\n0\r\nX: y\r\n\r\n`,
  ],
  ['the end', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody'],
  ['interim answers', `${INTERIM.join('')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody`],
])('and is the same one cut in two at any byte: %s', { timeout }, async (_what, bytes) => {
  for (let cut = 1; cut < bytes.length; cut++) {
    proxy.upstream.on('/answer', pieces(bytes, [cut]));
    expect([cut, await readThroughProxy('GET')]).toEqual([cut, { status: 200, body: 'body' }]);
  }
});

it('and byte by byte', { timeout }, async () => {
  const bytes = `${INTERIM[1]}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('body')}0\r\n\r\n`;
  proxy.upstream.on(
    '/answer',
    pieces(
      bytes,
      [...bytes].map((_, i) => i),
    ),
  );
  expect(await readThroughProxy('GET')).toEqual({ status: 200, body: 'body' });
});

/** Writes the bytes with turns of the loop at each cut, so that they arrive apart, then ends the connection. */
function pieces(bytes: string, cuts: readonly number[]): Answer {
  const places = [0, ...new Set(cuts.map((cut) => place(bytes, cut))), bytes.length].sort((a, b) => a - b);
  return script(async ({ write, socket }) => {
    for (const [i, from] of places.entries()) {
      await write(bytes.slice(from, places[i + 1] ?? bytes.length));
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
  });
}

async function readThroughProxy(method: Method): Promise<Reading | null> {
  const connection = await openRaw(proxy.origin);
  connection.send(`${method} /answer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  try {
    const { status, body } = await connection.response(method);
    // A reset ends what only the end of a connection delimits: not whole.
    if ((await connection.closed) === 'reset' || status === 502) return null;
    return { status, body: body.toString('latin1') };
  } catch {
    return null;
  } finally {
    connection.close();
    // The next request is not to be sent on a connection that is about to end.
    await proxy.upstream.closed(proxy.upstream.connections);
  }
}

/**
 * Whether Node reads the same. Its client takes an answer back when nonsense follows it; so that the answer itself is compared, one
 * that says where it ends may also be read without what follows.
 */
async function nodeReads(method: Method, bytes: string, ours: Reading): Promise<boolean> {
  for (let end = bytes.length; end > 0; end--) {
    proxy.upstream.on('/answer', pieces(bytes.slice(0, end), []));
    const theirs = await readByNode(method);
    if (theirs === null || (end < bytes.length && !theirs.delimited)) continue;
    return theirs.status === ours.status && theirs.body === ours.body;
  }
  return false;
}

function readByNode(method: Method): Promise<(Reading & { readonly delimited: boolean }) | null> {
  return new Promise((resolve) => {
    const asked = request(`${proxy.upstream.origin}/answer`, { method, agent: false });
    asked.on('error', () => resolve(null));
    asked.on('upgrade', () => resolve(null));
    asked.on('response', (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 0;
      const { 'content-length': length, 'transfer-encoding': coding } = answer.headers;
      const bodiless = method === 'HEAD' || status === 204 || status === 304;
      const delimited = bodiless || length !== undefined || /chunked$/i.test(coding ?? '');
      let body = '';
      answer.setEncoding('latin1').on('data', (part: string) => {
        body += part;
      });
      answer.on('error', () => resolve(null));
      answer.on('end', () => resolve({ status, body, delimited }));
    });
    asked.end();
  });
}
