import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/ports.ts';
import { systemClock } from '../../../src/core/system-clock.ts';
import type { Misbehaviour, Operation } from '../../../src/dev/identity-pool-emulator.ts';
import { bearer } from '../../support/proxy.ts';
import type { RawResponse } from '../../support/raw-http.ts';
import {
  type SigningStack,
  type SigningStackOptions,
  startSigningStack,
} from '../../support/signing-stack.ts';
import { codeIn } from '../../support/use-signing-stack.ts';

const ROLE = 'arn:aws:iam::111122223333:role/users';
const HOUR = 3_600_000;

/** Timers run, but no time passes: what is remembered for a second is remembered for the whole test. */
const STANDING: Clock = { ...systemClock, monotonic: () => 1_000 };

let stack: SigningStack;
const start = async (options: SigningStackOptions = {}): Promise<SigningStack> => {
  stack = await startSigningStack(options);
  return stack;
};
afterEach(() => stack.stop());

const ask = (user = 'alice', requestLine = 'GET /items', headers: readonly string[] = [], body = '') =>
  stack.proxy.request(`${requestLine} HTTP/1.1`, [bearer(stack.idToken(user)), ...headers], body);

function expectRefused(answer: RawResponse, status: number, code: string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(codeIn(answer)).toBe(code);
  expect(stack.upstream.requests).toEqual([]);
  const retryAfter = { SIGN_CREDENTIALS_THROTTLED: '2', SIGN_CREDENTIALS_UNAVAILABLE: '5' }[code];
  expect(answer.header('retry-after')).toBe(retryAfter);
}

const THROTTLED = [503, 'SIGN_CREDENTIALS_THROTTLED'] as const;
const UNAVAILABLE = [503, 'SIGN_CREDENTIALS_UNAVAILABLE'] as const;
const DENIED = [403, 'SIGN_CREDENTIALS_DENIED'] as const;

describe('an identity pool that misbehaves', () => {
  const cases: readonly (readonly [Misbehaviour, readonly [number, string]])[] = [
    ['throttle', THROTTLED],
    ['notAuthorized', DENIED],
    ['resourceNotFound', UNAVAILABLE],
    ['internalError', UNAVAILABLE],
    ['unavailable', UNAVAILABLE],
    ['brokenBody', UNAVAILABLE],
    ['emptyBody', UNAVAILABLE],
    ['reset', UNAVAILABLE],
    ['hang', UNAVAILABLE],
  ];
  const operations: readonly (readonly [Operation, SigningStackOptions])[] = [
    ['GetId', {}],
    ['GetCredentialsForIdentity', {}],
    ['GetOpenIdToken', { identityPool: { flow: 'basic', roleArn: ROLE } }],
    ['AssumeRoleWithWebIdentity', { identityPool: { flow: 'basic', roleArn: ROLE } }],
  ];
  const table = operations.flatMap(([operation, options]) =>
    cases.map(([how, [status, code]]) => [operation, how, status, code, options] as const),
  );

  it.each(table)('%s: %s is %i %s', async (operation, how, status, code, options) => {
    // Only what never answers is to run into it.
    const timeout = how === 'hang' ? '150ms' : '10s';
    await start({ ...options, clock: STANDING, identityPool: { ...options.identityPool, timeout } });
    stack.emulator.behave(operation, how);
    expectRefused(await ask(), status, code);
    // What another caller hears meanwhile is no worse, and the service is spared.
    const calls = stack.emulator.calls.length;
    expectRefused(await ask(), status, code);
    expect(stack.emulator.calls.length).toBe(calls);
  });

  it.each<[Misbehaviour]>([['internalError'], ['unavailable'], ['reset']])(
    'once, with %s, is asked once more, and nobody notices',
    async (how) => {
      await start();
      stack.emulator.behave('GetId', how, 1);
      const answer = await ask();
      expect(answer.status, answer.text).toBe(200);
      expect(stack.emulator.count('GetId')).toBe(2);
    },
  );

  it('recovers by itself', async () => {
    await start();
    stack.emulator.behave('GetId', 'throttle');
    expectRefused(await ask(), ...THROTTLED);
    stack.emulator.behave('GetId', null);
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
  });

  it('is left alone by all callers while it throttles one', async () => {
    await start({ clock: STANDING });
    stack.emulator.behave('GetId', 'throttle');
    expectRefused(await ask('alice'), ...THROTTLED);
    for (const user of ['bob', 'carol', 'dave']) expectRefused(await ask(user), ...THROTTLED);
    expect(stack.emulator.count('GetId')).toBe(1);
  });

  it('does not take from callers what they have', async () => {
    await start();
    expect((await ask()).status).toBe(200);
    for (const operation of ['GetId', 'GetCredentialsForIdentity'] as const) {
      stack.emulator.behave(operation, 'unavailable');
    }
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
  });

  it('that is not there at all is 503', async () => {
    await start({ identityPool: { endpoint: 'http://127.0.0.1:9' } });
    expectRefused(await ask(), ...UNAVAILABLE);
  });

  it('denies one caller, not all', async () => {
    await start();
    stack.emulator.behave('GetId', 'notAuthorized', 1);
    expectRefused(await ask('mallory'), ...DENIED);
    expect((await ask('alice')).status).toBe(200);
  });

  it('says back what it was sent, and the log does not', async () => {
    await start();
    stack.emulator.behave('GetId', 'echo');
    const answer = await ask();
    expectRefused(answer, ...DENIED);
    const token = stack.idToken().split('.');
    const written = JSON.stringify(stack.proxy.log, (_key, value: unknown) =>
      value instanceof Error
        ? { ...value, message: value.message, stack: value.stack, cause: value.cause }
        : value,
    );
    expect(written).toContain('NotAuthorizedException');
    for (const part of token) expect(written).not.toContain(part);
    for (const part of token) expect(answer.text).not.toContain(part);
  });
});

describe('many at once', () => {
  it('of one caller make one call', async () => {
    await start();
    const release = stack.emulator.hold();
    const answers = Promise.all(Array.from({ length: 50 }, () => ask()));
    await stack.emulator.called('GetId', 1);
    release();
    expect((await answers).map((answer) => answer.status)).toEqual(Array(50).fill(200));
    expect(stack.emulator.count('GetId')).toBe(1);
    expect(stack.emulator.count('GetCredentialsForIdentity')).toBe(1);
  });

  it('are kept under the configured rate: they wait briefly, and the rest are asked to come again', async () => {
    await start({ identityPool: { callsPerSecond: 4 } });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(`user-${i}`)));
    const codes = answers.map((answer) => (answer.status === 200 ? 'ok' : codeIn(answer)));
    expect(new Set(codes)).toEqual(new Set(['ok', 'SIGN_CREDENTIALS_THROTTLED']));
    const { calls } = stack.emulator;
    for (let i = 4; i < calls.length; i++) {
      // Between a call and the fourth after it is a second, but for how long each took to arrive.
      expect((calls[i]?.at ?? 0) - (calls[i - 4]?.at ?? 0)).toBeGreaterThan(500);
    }
  });
});

describe('a clock two hours off', () => {
  it.each([2 * HOUR, -2 * HOUR])(
    "is corrected by the upstream's, and the request sent again (%i ms)",
    async (offset) => {
      const now = (): number => Date.now() + offset;
      await start({ upstream: { now }, emulator: { now } });
      for (const [requestLine, body] of [
        ['GET /items', ''],
        ['POST /items', 'hello'],
      ] as const) {
        const answer = await ask('alice', requestLine, [], body);
        expect(answer.status, answer.text).toBe(200);
      }
      const verdicts = stack.upstream.requests.map((request) => request.verdict);
      expect(verdicts).toEqual(['RequestTimeTooSkewed', 'ok', 'ok']);
    },
  );

  it('costs a body that streams its one attempt, and the next succeeds', async () => {
    const now = (): number => Date.now() + 2 * HOUR;
    await start({ upstream: { now }, emulator: { now }, sign: { service: 's3', payload: 'stream' } });
    const first = await ask('alice', 'PUT /items', [], 'hello');
    expect(first.status).toBe(403);
    expect(first.text).toBe('<Error><Code>RequestTimeTooSkewed</Code></Error>');
    const second = await ask('alice', 'PUT /items', [], 'hello');
    expect(second.status, second.text).toBe(200);
  });

  it.each([2 * HOUR, -2 * HOUR])(
    'does not shorten or stretch what credentials last (%i ms)',
    async (offset) => {
      const now = (): number => Date.now() + offset;
      await start({ emulator: { now, sessionSeconds: 3600 }, upstream: { now } });
      for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
      expect(stack.emulator.count('GetCredentialsForIdentity')).toBe(1);
    },
  );
});

describe("the upstream's own refusal", () => {
  beforeEach(async () => {
    await start();
  });

  it('passes untouched, and is not counted as ours', async () => {
    stack.upstream.answer = (_request, response) => {
      response.writeHead(403, {
        'x-amzn-errortype': 'AccessDeniedException',
        'content-type': 'application/json',
      });
      response.end('{"Message":"User: arn:aws:sts::1:assumed-role/x is not authorized"}');
    };
    const answer = await ask();
    expect(answer.status).toBe(403);
    expect(answer.text).toBe('{"Message":"User: arn:aws:sts::1:assumed-role/x is not authorized"}');
    expect(answer.header('x-amzn-errortype')).toBe('AccessDeniedException');
    const metrics = await stack.proxy.metrics();
    expect(metrics).toContain(
      'cognito_auth_proxy_decisions_total{route="signed",decision="allow",code="ok"} 1',
    );
    expect(metrics).toContain('upstream_duration_seconds_count{upstream="signed",status="403"} 1');
  });

  it('of credentials that ended before their time passes too', async () => {
    expect((await ask()).status).toBe(200);
    const { accessKeyId } = stack.upstream.last;
    stack.emulator.expire(accessKeyId);
    const answer = await ask();
    expect(answer.status).toBe(403);
    expect(answer.text).toBe('<Error><Code>ExpiredToken</Code></Error>');
    expect(stack.upstream.requests.length).toBe(2);
  });

  it('is taken once, however its clock jumps', async () => {
    await stack.stop();
    let judged = (): number => 0;
    await start({ upstream: { now: () => Date.now() + (judged() % 2 === 0 ? 2 : -2) * HOUR } });
    judged = () => stack.upstream.requests.length;
    const answer = await ask();
    expect(answer.status).toBe(403);
    expect(stack.upstream.requests.length).toBe(2);
  });
});
