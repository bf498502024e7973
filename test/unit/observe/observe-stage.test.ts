import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/core/exchange.ts';
import { deny, fault } from '../../../src/core/refusal.ts';
import { createObserveStage } from '../../../src/observe/observe-stage.ts';
import type { RequestSample } from '../../../src/observe/request-metrics.ts';
import { exchange as exchangeOf } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { route } from '../../support/routes.ts';

/** What is counted and logged of one exchange, where so many passes are logged and chance has come out so. */
function observe(
  passes: number,
  random: number,
  change: (exchange: Exchange) => void,
): { readonly lines: readonly LogLine[]; readonly samples: readonly RequestSample[] } {
  const lines: LogLine[] = [];
  const samples: RequestSample[] = [];
  const made = exchangeOf({ headers: ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`] }, route());
  made.status = 200;
  change(made);
  createObserveStage({
    metrics: { count: (sample: RequestSample) => void samples.push(sample) } as never,
    logger: recordingLogger(lines),
    clock: createFakeClock(),
    subject: 'plain',
    passes,
    random: () => random,
  }).run(made);
  return { lines, samples };
}

const PASSED = (): void => undefined;

describe('a request that was let through', () => {
  it.each([
    [1, 0.999, true],
    [0.5, 0.499, true],
    [0.5, 0.5, false],
    [0.01, 0.009, true],
    [0.01, 0.5, false],
    [0, 0, false],
  ])('with passes: %s and %s by chance is logged: %s', (passes, random, logged) => {
    const { lines, samples } = observe(passes, random, PASSED);
    expect([lines.length, samples.length]).toEqual([logged ? 1 : 0, 1]);
  });

  it('tells its trace', () => {
    expect(observe(1, 0, PASSED).lines[0]).toMatchObject({ traceId: 'a'.repeat(32), decision: 'allow' });
  });
});

describe('always logged, whatever the share of passes', () => {
  it.each<readonly [string, (exchange: Exchange) => void, object]>([
    [
      'a refusal',
      (made) => {
        made.refusal = deny('AUTHZ_GROUP_REQUIRED', { condition: 'groups anyOf [a]' });
        made.status = 403;
      },
      { decision: 'deny', code: 'AUTHZ_GROUP_REQUIRED', condition: 'groups anyOf [a]', level: 'info' },
    ],
    [
      'a failure',
      (made) => {
        made.refusal = fault('UPSTREAM_RESET');
        made.status = 502;
      },
      { decision: 'fault', code: 'UPSTREAM_RESET', level: 'warn' },
    ],
    [
      'what a rule would refuse',
      (made) => {
        made.shadow = deny('AUTHZ_GROUP_REQUIRED', { condition: 'groups anyOf [a]' });
      },
      {
        decision: 'allow',
        shadow: 'AUTHZ_GROUP_REQUIRED',
        condition: 'groups anyOf [a]',
        code: undefined,
        level: 'info',
      },
    ],
    [
      'an answer of 500',
      (made) => {
        made.status = 500;
      },
      { decision: 'allow', status: 500 },
    ],
    [
      'a client that left',
      (made) => {
        made.status = 499;
      },
      { status: 499 },
    ],
  ])('%s', (_, change, line) => {
    expect(observe(0, 0.5, change).lines).toMatchObject([line]);
  });
});

it('what a limit refuses after the rule would have is counted as both, with the reason of the refusal', () => {
  const { lines, samples } = observe(0, 0, (made) => {
    made.shadow = fault('AUTHN_KEYS_UNAVAILABLE', new Error('no keys'));
    made.refusal = deny('LIMIT_RATE');
    made.status = 429;
  });
  expect(samples).toMatchObject([{ decision: 'deny', code: 'LIMIT_RATE', shadow: 'AUTHN_KEYS_UNAVAILABLE' }]);
  expect(lines).toMatchObject([
    { code: 'LIMIT_RATE', shadow: 'AUTHN_KEYS_UNAVAILABLE', err: undefined, condition: undefined },
  ]);
});
