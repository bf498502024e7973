/** Fail-closed proofs: whatever a stage does, nothing after it runs, and the client has one answer. Real sockets, stages of the test's own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { server as serverSchema } from '../../../src/config/schema/server.ts';
import {
  type Exchange,
  HANDED_OVER,
  STAGES,
  type Stage,
  type StageName,
  type Verdict,
  waitForClient,
} from '../../../src/core/exchange.ts';
import { deny, fault } from '../../../src/core/refusal.ts';
import { createPipeline, type Traffic } from '../../../src/listen/pipeline.ts';
import { createPublicServer, type PublicServer } from '../../../src/listen/public-server.ts';
import { createResponder, type Responder } from '../../../src/listen/respond.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { exchangeRaw, openRaw, type RawConnection, type RawResponse } from '../../support/raw-http.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

/** Milliseconds; see STAGE_DEADLINE. */
const DEADLINE = 30_000;

type Run = (exchange: Exchange) => Verdict | Promise<Verdict>;

let clock: FakeClock;
let traffic: Traffic;
let log: LogLine[];
/** The stages that have run, in order; `send` stands for the upstream. */
let ran: StageName[];
let behaviours: Partial<Record<StageName, Run>>;
let settled: Exchange[];
let answers: number;
let server: PublicServer;
let origin: string;

beforeEach(async () => {
  clock = createFakeClock();
  traffic = { inFlight: 0 };
  log = [];
  // Of this test alone: an exchange of the one before may still be settling.
  const names: StageName[] = [];
  const exchanges: Exchange[] = [];
  ran = names;
  settled = exchanges;
  behaviours = {};
  answers = 0;
  const stages = STAGES.map(
    (name): Stage => ({
      name,
      run(exchange) {
        names.push(name);
        if (name === 'observe') exchanges.push(exchange);
        const reply: Verdict = { kind: 'reply', status: 200, headers: ['content-length', '0'] };
        return (behaviours[name] ?? (() => (name === 'send' ? reply : undefined)))(exchange);
      },
    }),
  );
  const pipeline = createPipeline(stages, counting(createResponder()), clock, recordingLogger(log), traffic);
  server = createPublicServer({
    config: serverSchema.parse({ listen: '127.0.0.1:0' }),
    maxConnections: 10,
    pipeline: () => pipeline,
    clock,
    onRefusedConnection: () => undefined,
  });
  origin = `http://127.0.0.1:${await server.start()}`;
});
afterEach(async () => {
  server.destroy();
  await server.close();
});

/** Counts the answers of our own. */
function counting(responder: Responder): Responder {
  return {
    refuse(exchange, refusal) {
      answers += 1;
      responder.refuse(exchange, refusal);
    },
    reply(exchange, reply) {
      answers += 1;
      responder.reply(exchange, reply);
    },
  };
}

const BYTES = {
  request: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  upgrade: 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
} as const;
const SHAPES = ['request', 'upgrade'] as const;

/** Those whose work comes before the upstream is asked. */
const BEFORE_SEND = STAGES.slice(0, STAGES.indexOf('send'));
const BEFORE_OBSERVE = STAGES.slice(0, STAGES.indexOf('observe'));

/** What a stage may return by mistake, whatever the types say. */
const ODD_VERDICTS: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['a text', 'deny'],
  ['another symbol', Symbol('handed over')],
  ['an object', {}],
  ['a refusal without a code', { kind: 'deny' }],
  ['a refusal with an unknown code', { kind: 'deny', code: 'toString' }],
  // biome-ignore lint/suspicious/noThenProperty: that is the mistake
  ['a promise that is none', { then: (go: (verdict: undefined) => void) => go(undefined) }],
];

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when nothing is in flight, and all that is settled has been observed. */
async function untilSettled(): Promise<void> {
  while (traffic.inFlight > 0 || settled.length === 0) {
    await turn();
    // Sockets that were upgraded are closed by the clock.
    clock.advance(1_000);
  }
}

function codeIn(response: RawResponse): unknown {
  return (response.json() as { code: unknown }).code;
}

async function expectOneRefusal(response: RawResponse, name: StageName): Promise<void> {
  expect(response.status).toBe(500);
  expect(response.json()).toEqual({
    message: 'Internal Server Error',
    code: 'INTERNAL_ERROR',
    requestId: response.header('x-request-id'),
  });
  expect(response.header('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  await untilSettled();
  expect(ran).toEqual([...STAGES.slice(0, STAGES.indexOf(name) + 1), 'observe']);
  expect(answers).toBe(1);
  expect(traffic.inFlight).toBe(0);
  expect(settled).toHaveLength(1);
  expect(settled[0]).toMatchObject({ status: 500, refusal: { kind: 'fault', code: 'INTERNAL_ERROR' } });
}

describe.each(SHAPES)('as %s', (shape) => {
  it('all stages run once, in order', async () => {
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(200);
    await untilSettled();
    expect(ran).toEqual([...STAGES]);
    expect(traffic.inFlight).toBe(0);
  });

  it.each(BEFORE_OBSERVE)('%s throws', async (name) => {
    behaviours[name] = () => {
      throw new Error('broken');
    };
    const response = await exchangeRaw(origin, BYTES[shape]);
    expect(response.text).not.toContain('broken');
    await expectOneRefusal(response, name);
    expect(settled[0]?.refusal?.cause).toEqual(new Error('broken'));
  });

  it.each(BEFORE_OBSERVE)('%s throws what is no error', async (name) => {
    behaviours[name] = () => {
      throw undefined;
    };
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
  });

  it.each(BEFORE_OBSERVE)('%s rejects', async (name) => {
    behaviours[name] = () => Promise.reject(new Error('broken'));
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
  });

  it.each(BEFORE_OBSERVE)('%s hangs, and answers when it is too late', async (name) => {
    const late = Promise.withResolvers<Verdict>();
    const asked = Promise.withResolvers<void>();
    behaviours[name] = () => {
      asked.resolve();
      return late.promise;
    };
    const connection = await openRaw(origin);
    connection.send(BYTES[shape]);
    await asked.promise;
    clock.advance(DEADLINE - 1);
    await turn();
    expect(answers).toBe(0);
    clock.advance(1);
    const response = await connection.response();
    late.resolve(undefined);
    await expectOneRefusal(response, name);
    expect(settled[0]?.refusal?.cause).toEqual(new Error(`the stage ${name} has not answered`));
    connection.close();
  });

  it.each(BEFORE_OBSERVE)(
    '%s hangs, and refuses, replies or hands over when it is too late',
    async (name) => {
      const verdicts: readonly Verdict[] = [
        deny('ROUTE_NOT_FOUND'),
        { kind: 'reply', status: 200, headers: [] },
        HANDED_OVER,
      ];
      for (const verdict of verdicts) {
        const late = Promise.withResolvers<Verdict>();
        const asked = Promise.withResolvers<void>();
        behaviours[name] = () => {
          asked.resolve();
          return late.promise;
        };
        const connection = await openRaw(origin);
        connection.send(BYTES[shape]);
        await asked.promise;
        clock.advance(DEADLINE);
        late.resolve(verdict);
        expect((await connection.response()).status).toBe(500);
        connection.close();
        await untilSettled();
        expect(settled.at(-1)?.refusal?.code).toBe('INTERNAL_ERROR');
      }
      expect(answers).toBe(3);
    },
  );

  it.each(BEFORE_OBSERVE)('%s refuses by the runner, and then goes on', async (name) => {
    behaviours[name] = (exchange) => {
      exchange.runner.refuse(exchange, fault('INTERNAL_ERROR', new Error('first')));
      return undefined;
    };
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
  });

  it.each(BEFORE_OBSERVE)(
    '%s refuses by the runner while it is waited for, and then lets pass',
    async (name) => {
      behaviours[name] = async (exchange) => {
        await turn();
        exchange.runner.refuse(exchange, fault('INTERNAL_ERROR'));
        await turn();
        return undefined;
      };
      await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
    },
  );

  it.each(BEFORE_OBSERVE)('%s refuses twice: the first counts', async (name) => {
    behaviours[name] = (exchange) => {
      exchange.runner.refuse(exchange, deny('AUTHZ_GROUP_REQUIRED'));
      exchange.runner.refuse(exchange, deny('ROUTE_NOT_FOUND'));
      return deny('AUTHN_TOKEN_MISSING');
    };
    const response = await exchangeRaw(origin, BYTES[shape]);
    expect([response.status, codeIn(response)]).toEqual([403, 'AUTHZ_GROUP_REQUIRED']);
    await untilSettled();
    expect(settled[0]?.refusal).toEqual(deny('AUTHZ_GROUP_REQUIRED'));
    expect(answers).toBe(1);
    expect(ran).toEqual([...STAGES.slice(0, STAGES.indexOf(name) + 1), 'observe']);
  });

  it.each(BEFORE_OBSERVE)('%s replies after it has refused', async (name) => {
    behaviours[name] = (exchange) => {
      exchange.runner.refuse(exchange, deny('AUTHZ_GROUP_REQUIRED'));
      return { kind: 'reply', status: 204, headers: [] };
    };
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(403);
    await untilSettled();
    expect(answers).toBe(1);
    expect(settled[0]?.status).toBe(403);
  });

  it.each(BEFORE_SEND)('%s refuses, and then asks for a retry', async (name) => {
    behaviours[name] = (exchange) => {
      exchange.runner.refuse(exchange, deny('AUTHZ_GROUP_REQUIRED'));
      exchange.runner.retry(exchange, exchange.attempts);
      return HANDED_OVER;
    };
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(403);
    await untilSettled();
    expect(ran).not.toContain('send');
  });

  it.each(BEFORE_SEND.flatMap((name) => [0, 1].map((attempt) => [name, attempt] as const)))(
    '%s asks for a retry of attempt %i, when none was made',
    async (name, attempt) => {
      behaviours[name] = (exchange) => {
        exchange.runner.retry(exchange, attempt);
        return undefined;
      };
      await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
      expect(settled[0]?.refusal?.cause).toEqual(new Error('a retry out of turn'));
    },
  );

  it('send asks for a retry: the request is signed and sent again', async () => {
    behaviours['send'] = (exchange) => {
      exchange.attempts += 1;
      if (exchange.attempts === 3) return { kind: 'reply', status: 204, headers: [] };
      exchange.runner.retry(exchange, exchange.attempts);
      return HANDED_OVER;
    };
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(204);
    await untilSettled();
    expect(ran.slice(STAGES.indexOf('sign'))).toEqual([
      'sign',
      'send',
      'sign',
      'send',
      'sign',
      'send',
      'observe',
    ]);
  });

  it.each<readonly [string, (again: () => void) => void]>([
    ['at once', (again) => again()],
    ['later', (again) => void setImmediate(again)],
  ])('send asks twice for a retry of one attempt, %s', async (_, when) => {
    let cancelled = 0;
    behaviours['send'] = (exchange) => {
      exchange.attempts += 1;
      exchange.sending = {
        cancel() {
          cancelled += 1;
        },
      };
      if (exchange.attempts > 1) return HANDED_OVER;
      exchange.runner.retry(exchange, 1);
      when(() => exchange.runner.retry(exchange, 1));
      return HANDED_OVER;
    };
    const response = await exchangeRaw(origin, BYTES[shape]);
    expect([response.status, codeIn(response)]).toEqual([500, 'INTERNAL_ERROR']);
    await untilSettled();
    expect(ran.filter((name) => name === 'send')).toHaveLength(2);
    expect([answers, cancelled]).toEqual([1, 1]);
  });

  it.each(ODD_VERDICTS.flatMap((odd) => BEFORE_OBSERVE.map((name) => [name, ...odd] as const)))(
    '%s gives no verdict, but %s',
    async (name, _, value) => {
      behaviours[name] = () => value as Verdict;
      await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
      expect(settled[0]?.refusal?.cause).toEqual(new Error(`the stage ${name} gave no verdict`));
    },
  );

  it.each(BEFORE_OBSERVE)('%s promises what is no verdict', async (name) => {
    behaviours[name] = () => Promise.resolve(null as unknown as Verdict);
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
  });

  it.each(BEFORE_SEND)('%s hands over, which only send may', async (name) => {
    behaviours[name] = () => HANDED_OVER;
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), name);
  });

  it.each(BEFORE_OBSERVE)('%s waits for the client, and only then hangs', async (name) => {
    const client = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    behaviours[name] = async (exchange) => {
      asked.resolve();
      return waitForClient(exchange, client.promise, () => new Promise<Verdict>(() => undefined));
    };
    const connection = await openRaw(origin);
    connection.send(BYTES[shape]);
    await asked.promise;
    clock.advance(10 * DEADLINE + 1);
    await turn();
    client.resolve();
    await turn();
    // The whole of it, from here.
    clock.advance(DEADLINE - 1);
    await turn();
    expect(answers).toBe(0);
    clock.advance(1);
    await expectOneRefusal(await connection.response(), name);
    connection.close();
  });

  it.each(BEFORE_OBSERVE)('%s waits, and the client leaves', async (name) => {
    const late = Promise.withResolvers<Verdict>();
    const asked = Promise.withResolvers<void>();
    behaviours[name] = () => {
      asked.resolve();
      return late.promise;
    };
    const connection = await openRaw(origin);
    connection.send(BYTES[shape]);
    await asked.promise;
    connection.reset();
    await untilSettled();
    late.resolve(undefined);
    await turn();
    expect(ran).toEqual([...STAGES.slice(0, STAGES.indexOf(name) + 1), 'observe']);
    expect(answers).toBe(0);
    expect(settled[0]).toMatchObject({ status: 499, refusal: null });
  });

  it('no stage answers', async () => {
    behaviours['send'] = () => undefined;
    await expectOneRefusal(await exchangeRaw(origin, BYTES[shape]), 'send');
  });

  it.each<readonly [string, Run]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('observe %s: the answer is out, and it is logged', async (_, run) => {
    behaviours['observe'] = run;
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(200);
    await untilSettled();
    await turn();
    expect(log).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'the request could not be observed',
        err: new Error('broken'),
      }),
    ]);
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(200);
  });

  it('observe hangs: nothing waits for it', async () => {
    behaviours['observe'] = () => new Promise(() => undefined);
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(200);
    await untilSettled();
    expect(traffic.inFlight).toBe(0);
  });

  it('the answer itself cannot be written: the connection is cut, and the process goes on', async () => {
    behaviours['route'] = (exchange) => {
      exchange.answerHeaders.push('x-broken', 'a\nb');
      return deny('ROUTE_NOT_FOUND');
    };
    const connection = await openRaw(origin);
    connection.send(BYTES[shape]);
    expect((await connection.rest()).toString()).toBe('');
    await untilSettled();
    expect(log).toEqual([
      expect.objectContaining({ level: 'error', message: 'the answer could not be written' }),
    ]);
    behaviours = {};
    expect((await exchangeRaw(origin, BYTES[shape])).status).toBe(200);
  });
});

describe('once an answer has begun', () => {
  async function begin(): Promise<{ exchange: Exchange; connection: RawConnection }> {
    const begun = Promise.withResolvers<Exchange>();
    behaviours['send'] = (exchange) => {
      exchange.attempts = 1;
      exchange.status = 200;
      exchange.response.writeHead(200, ['content-length', '10']);
      exchange.response.write('half');
      begun.resolve(exchange);
      return HANDED_OVER;
    };
    const connection = await openRaw(origin);
    connection.send(BYTES.request);
    const exchange = await begun.promise;
    await connection.takeUntil('half');
    return { exchange, connection };
  }

  it('a refusal cuts it short, and is no second answer', async () => {
    const { exchange, connection } = await begin();
    exchange.runner.refuse(exchange, fault('UPSTREAM_RESET'));
    expect((await connection.rest()).toString()).toBe('');
    await untilSettled();
    expect(answers).toBe(0);
    expect(settled[0]).toMatchObject({ status: 200, refusal: { code: 'UPSTREAM_RESET' } });
  });

  it('a retry does not send again', async () => {
    const { exchange, connection } = await begin();
    exchange.runner.retry(exchange, 1);
    exchange.response.end('whole!');
    expect((await connection.take(6)).toString()).toBe('whole!');
    connection.close();
    expect(ran.filter((name) => name === 'send')).toHaveLength(1);
  });

  it('what was on its way is cancelled once when the client leaves', async () => {
    const { exchange, connection } = await begin();
    let cancelled = 0;
    exchange.sending = {
      cancel() {
        cancelled += 1;
      },
    };
    connection.reset();
    await untilSettled();
    expect(cancelled).toBe(1);
    expect(exchange.sending).toBeNull();
  });

  it('it is settled once', async () => {
    const { exchange, connection } = await begin();
    exchange.response.end('whole!');
    await connection.take(6);
    connection.reset();
    await untilSettled();
    await turn();
    expect(settled).toHaveLength(1);
    expect(traffic.inFlight).toBe(0);
  });
});

describe('a body that turns out malformed', () => {
  it('refuses its request while a stage is waited for, and nothing is sent', async () => {
    const late = Promise.withResolvers<Verdict>();
    const asked = Promise.withResolvers<void>();
    behaviours['authenticate'] = () => {
      asked.resolve();
      return late.promise;
    };
    const connection = await openRaw(origin);
    connection.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await asked.promise;
    connection.send('x\r\n');
    expect(codeIn(await connection.response())).toBe('REQUEST_MALFORMED');
    late.resolve(undefined);
    await untilSettled();
    expect(ran).toEqual(['canonicalize', 'route', 'authenticate', 'observe']);
    expect(answers).toBe(1);
    connection.close();
  });
});

describe('createPipeline', () => {
  const stage = (name: StageName): Stage => ({ name, run: () => undefined });
  const create = (names: readonly StageName[]) => () =>
    createPipeline(names.map(stage), createResponder(), clock, recordingLogger([]), traffic);

  it('takes all stages in their order only', () => {
    expect(create(STAGES)).not.toThrow();
    const swapped = STAGES.with(2, STAGES[3]).with(3, STAGES[2]);
    expect(create(swapped)).toThrow(
      'stages out of order: canonicalize route authorize authenticate prepare sign send observe',
    );
    expect(create(STAGES.slice(1))).toThrow('stages out of order: route');
    expect(create([...STAGES, 'observe'])).toThrow('observe observe');
  });

  it('names them as the documentation does', () => {
    expect(STAGES).toEqual([
      'canonicalize',
      'route',
      'authenticate',
      'authorize',
      'prepare',
      'sign',
      'send',
      'observe',
    ]);
  });
});
