import type { Span, Tracer } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import {
  type Exchange,
  HANDED_OVER,
  STAGES,
  type Stage,
  type StageName,
} from '../../../src/core/exchange.ts';
import { deny, fault } from '../../../src/core/refusal.ts';
import { Recording } from '../../../src/observe/tracing/recording.ts';
import { watchStages } from '../../../src/observe/tracing/watch-stages.ts';
import { exchange as exchangeOf } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { route } from '../../support/routes.ts';

/** What the stages do, by their names; the others go on. */
type Deeds = Partial<Record<StageName, Stage['run']>>;

function stagesDoing(deeds: Deeds): Stage[] {
  return STAGES.map((name) => ({
    name,
    run: (exchange) => deeds[name]?.(exchange),
  }));
}

interface Noted {
  readonly name: string;
  readonly attributes: Record<string, unknown>;
  failed: boolean;
  ended: boolean;
}

/** A tracer that notes what it is told, or fails at one thing that it is asked for. */
function tracerThat(failsAt: keyof Span | 'startSpan' | null): { tracer: Tracer; spans: Noted[] } {
  const spans: Noted[] = [];
  const guard = (what: keyof Span | 'startSpan'): void => {
    if (what === failsAt) throw new Error(`${what} fails`);
  };
  const makeSpan = (noted: Noted): Span => {
    const span = {
      spanContext: () => {
        guard('spanContext');
        return { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
      },
      isRecording: () => true,
      setAttributes: (attributes: object) => {
        guard('setAttributes');
        Object.assign(noted.attributes, attributes);
        return span;
      },
      setAttribute: (name: string, value: unknown) => {
        noted.attributes[name] = value;
        return span;
      },
      setStatus: () => {
        noted.failed = true;
        return span;
      },
      updateName: () => span,
      end: () => {
        guard('end');
        if (noted.ended) throw new Error('ended twice');
        noted.ended = true;
      },
    } as unknown as Span;
    return span;
  };
  const tracer = {
    startSpan(name: string) {
      guard('startSpan');
      const noted: Noted = { name, attributes: {}, failed: false, ended: false };
      spans.push(noted);
      return makeSpan(noted);
    },
  } as unknown as Tracer;
  return { tracer, spans };
}

function watch(deeds: Deeds, failsAt: keyof Span | 'startSpan' | null = null) {
  const lines: LogLine[] = [];
  const { tracer, spans } = tracerThat(failsAt);
  const clock = createFakeClock();
  const begin = (exchange: Exchange): Recording => new Recording(tracer, exchange, clock);
  const stages = watchStages(stagesDoing(deeds), begin, recordingLogger(lines));
  const made = exchangeOf({}, route({ allow: 'authenticated' }));
  const run = (name: StageName) => stages.find((stage) => stage.name === name)?.run(made);
  return { stages, made, run, spans, lines };
}

describe('watched stages', () => {
  it('are the same in name and order', () => {
    const { stages } = watch({});
    expect(stages.map(({ name }) => name)).toEqual(STAGES);
  });

  it('return, promise and throw what they did', async () => {
    const refusal = deny('AUTHN_TOKEN_MISSING');
    const late = Promise.resolve(deny('AUTHZ_GROUP_REQUIRED'));
    const { run, spans } = watch({
      authenticate: () => refusal,
      authorize: () => late,
      prepare: () => {
        throw new Error('a defect');
      },
      send: () => HANDED_OVER,
    });
    run('canonicalize');
    expect(run('authenticate')).toBe(refusal);
    expect(run('authorize')).toBe(late);
    await late;
    expect(() => run('prepare')).toThrow('a defect');
    expect(spans.slice(1)).toEqual([
      {
        name: 'authenticate',
        attributes: { 'cognito_auth_proxy.code': 'AUTHN_TOKEN_MISSING' },
        failed: false,
        ended: true,
      },
      {
        name: 'authorize',
        attributes: { 'cognito_auth_proxy.code': 'AUTHZ_GROUP_REQUIRED' },
        failed: false,
        ended: true,
      },
      {
        name: 'prepare',
        attributes: { 'cognito_auth_proxy.code': 'INTERNAL_ERROR', 'error.type': 'INTERNAL_ERROR' },
        failed: true,
        ended: true,
      },
    ]);
  });

  it('a stage that rejects is a failure', async () => {
    const rejected = Promise.reject(new Error('gone'));
    const { run, spans } = watch({ authenticate: () => rejected });
    run('canonicalize');
    expect(run('authenticate')).toBe(rejected);
    await expect(rejected).rejects.toThrow('gone');
    expect(spans.at(-1)).toMatchObject({ name: 'authenticate', failed: true, ended: true });
  });

  it('a request that could not even be canonicalized has its span all the same', () => {
    const { made, run, spans } = watch({
      canonicalize: () => {
        throw new Error('a defect');
      },
    });
    expect(() => run('canonicalize')).toThrow('a defect');
    made.status = 500;
    run('observe');
    expect(spans).toMatchObject([{ failed: true, ended: true, attributes: { 'error.type': '500' } }]);
  });

  it.each([
    ['that is given up is a failure', fault('INTERNAL_ERROR'), 500, true],
    ['whose client leaves is none', null, 499, false],
  ] as const)('a stage %s, and ends with the request', async (_, refusal, status, failed) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { made, run, spans, lines } = watch({ authenticate: () => promise });
    run('canonicalize');
    void run('authenticate');
    expect(spans.at(-1)).toMatchObject({ name: 'authenticate', ended: false });
    made.refusal = refusal;
    made.status = status;
    run('observe');
    expect(spans.at(-1)).toMatchObject({ name: 'authenticate', ended: true, failed });
    const noted = JSON.stringify(spans);
    resolve(undefined);
    await promise;
    expect(JSON.stringify(spans)).toBe(noted);
    expect(lines).toEqual([]);
  });

  it('are ended once: what comes after a WebSocket has opened adds nothing', () => {
    const { made, run, spans } = watch({});
    run('canonicalize');
    made.status = 101;
    made.trace?.switched();
    const noted = JSON.stringify(spans);
    made.status = 500;
    run('observe');
    expect(JSON.stringify(spans)).toBe(noted);
    expect(spans[0]).toMatchObject({ ended: true, attributes: { 'http.response.status_code': 101 } });
  });

  it('a tracer that fails as a WebSocket opens does not touch it, and is told of when it ends', () => {
    const { made, run, lines } = watch({}, 'setAttributes');
    run('canonicalize');
    made.trace?.switched();
    expect(lines).toEqual([]);
    run('observe');
    expect(lines).toMatchObject([{ message: 'the request could not be traced' }]);
  });

  it.each(['startSpan', 'spanContext', 'setAttributes', 'end'] as const)(
    'a tracer that fails at %s ends the recording of the request, and nothing else',
    (failsAt) => {
      const seen: StageName[] = [];
      const deeds = Object.fromEntries(
        STAGES.map((name) => [name, () => void seen.push(name)]),
      ) as unknown as Deeds;
      const { made, run, lines } = watch(deeds, failsAt);
      made.requestId = 'id-1';
      for (const name of STAGES) expect(run(name)).toBeUndefined();
      expect(seen).toEqual(STAGES);
      expect(made.trace).toBeNull();
      expect(lines).toMatchObject([
        { level: 'error', message: 'the request could not be traced', requestId: 'id-1' },
      ]);
    },
  );
});
