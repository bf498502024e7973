import { beforeEach, describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/core/ports.ts';
import type { Target, Upstream } from '../../../src/core/upstream.ts';
import { countFailing, createBalancer } from '../../../src/prepare/balancer.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

let clock: FakeClock;
let log: LogLine[];
let balancer: Balancer;

beforeEach(() => {
  clock = createFakeClock();
  log = [];
  balancer = createBalancer(clock, recordingLogger(log));
});

function upstreamOf(...names: string[]): Upstream {
  const targets = names.map(
    (name): Target => ({
      origin: name,
      authority: name,
      basePath: '',
      failures: 0,
      ejectedUntil: 0,
    }),
  );
  return { name: 'board', targets, host: 'upstream', retries: 1, next: 0, sign: null };
}

const targetOf = (upstream: Upstream, name: string): Target =>
  upstream.targets.find((target) => target.origin === name) as Target;

const turns = (upstream: Upstream, count: number): string =>
  Array.from({ length: count }, () => balancer.choose(upstream).origin).join('');

function fail(upstream: Upstream, name: string, times: number): void {
  for (let i = 0; i < times; i++) balancer.failed(targetOf(upstream, name));
}

describe('round robin', () => {
  it('gives each its turn', () => {
    expect(turns(upstreamOf('a', 'b', 'c'), 7)).toBe('abcabca');
  });

  it('has one choice of one', () => {
    const upstream = upstreamOf('a');
    fail(upstream, 'a', 10);
    expect(turns(upstream, 3)).toBe('aaa');
  });

  it('keeps upstreams apart', () => {
    const [one, other] = [upstreamOf('a', 'b'), upstreamOf('c', 'd')];
    expect([turns(one, 1), turns(other, 1), turns(one, 1), turns(other, 1)].join('')).toBe('acbd');
  });
});

describe('a target that fails', () => {
  it('is set aside after three times in a row, for five seconds', () => {
    const upstream = upstreamOf('a', 'b', 'c');
    fail(upstream, 'b', 2);
    expect(turns(upstream, 3)).toBe('abc');
    fail(upstream, 'b', 1);
    expect(turns(upstream, 6)).not.toContain('b');
    clock.advance(4_999);
    expect(turns(upstream, 6)).not.toContain('b');
    clock.advance(1);
    expect(turns(upstream, 3)).toBe('abc');
    expect(log).toEqual([{ level: 'warn', message: 'upstream address set aside', target: 'b', failures: 3 }]);
  });

  it('is not, when it answers in between', () => {
    const upstream = upstreamOf('a', 'b');
    for (let i = 0; i < 5; i++) {
      fail(upstream, 'b', 2);
      balancer.succeeded(targetOf(upstream, 'b'));
    }
    expect(turns(upstream, 4)).toBe('abab');
  });

  it('is set aside twice as long each time it fails again, up to a minute', () => {
    const upstream = upstreamOf('a', 'b');
    fail(upstream, 'b', 3);
    const durations = Array.from({ length: 6 }, () => {
      const duration = targetOf(upstream, 'b').ejectedUntil - clock.monotonic();
      clock.advance(duration);
      fail(upstream, 'b', 1);
      return duration;
    });
    expect(durations).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('fails once, however many requests were under way', () => {
    const upstream = upstreamOf('a', 'b');
    fail(upstream, 'b', 500);
    expect(targetOf(upstream, 'b').ejectedUntil - clock.monotonic()).toBe(5_000);
    expect(log).toHaveLength(1);
  });

  it('is as good as new once it answers', () => {
    const upstream = upstreamOf('a', 'b');
    fail(upstream, 'b', 3);
    balancer.succeeded(targetOf(upstream, 'b'));
    expect(turns(upstream, 4)).toBe('abab');
    fail(upstream, 'b', 2);
    expect(turns(upstream, 2)).toBe('ab');
    expect(log.map(({ message }) => message)).toEqual([
      'upstream address set aside',
      'upstream address answers again',
    ]);
  });

  it('says nothing of success where there was no failure', () => {
    balancer.succeeded(targetOf(upstreamOf('a'), 'a'));
    expect(log).toEqual([]);
  });
});

describe('when all fail', () => {
  it('each has its turn all the same', () => {
    const upstream = upstreamOf('a', 'b', 'c');
    for (const name of ['a', 'b', 'c']) fail(upstream, name, 3);
    expect(turns(upstream, 6)).toBe('abcabc');
  });
});

describe('after a failure of this request', () => {
  it('another one is chosen', () => {
    const upstream = upstreamOf('a', 'b');
    const first = balancer.choose(upstream);
    expect(balancer.choose(upstream, first).origin).toBe('b');
    // Its turn would be a's.
    expect(balancer.choose(upstream, first).origin).toBe('b');
  });

  it('the same one, when there is no other', () => {
    const upstream = upstreamOf('a');
    expect(balancer.choose(upstream, targetOf(upstream, 'a')).origin).toBe('a');
  });
});

describe('what fails', () => {
  it('is counted from the third failure in a row until an answer, also when its time aside is over', () => {
    const upstream = upstreamOf('a', 'b');
    const failing = () => countFailing(new Map([['board', upstream]])).get('board');
    fail(upstream, 'a', 2);
    expect(failing()).toBeUndefined();
    fail(upstream, 'a', 1);
    expect(failing()).toBe(1);
    clock.advance(60_000);
    expect(failing()).toBe(1);
    balancer.succeeded(targetOf(upstream, 'a'));
    expect(failing()).toBeUndefined();
  });
});
