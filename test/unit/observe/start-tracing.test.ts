import { expect, it } from 'vitest';
import { STAGES, type Stage } from '../../../src/core/exchange.ts';
import { startTracing } from '../../../src/observe/tracing/start-tracing.ts';
import { readTracingSettings, type TracingSettings } from '../../../src/observe/tracing-settings.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { startTraceCollector } from '../../support/trace-collector.ts';
import { tracingTo } from '../../support/traced-proxy.ts';

const STAGES_THAT_GO_ON: readonly Stage[] = STAGES.map((name) => ({ name, run: () => undefined }));

it('waits for a collector that says nothing for three seconds at the end, and no longer', async () => {
  const collector = await startTraceCollector();
  collector.behave('silent');
  const clock = createFakeClock();
  // An export alone would wait for longer than this test may take.
  const environment = tracingTo(collector, { OTEL_EXPORTER_OTLP_TIMEOUT: '600000' });
  const settings = readTracingSettings(environment) as TracingSettings;
  const tracing = startTracing(settings, { clock, logger: recordingLogger([]) });
  const made = exchange({});
  for (const stage of tracing.watch(STAGES_THAT_GO_ON)) {
    if (stage.name === 'canonicalize' || stage.name === 'observe') stage.run(made);
  }
  let over = false;
  const stopped = tracing.stop().then(() => {
    over = true;
  });
  await collector.until(() => collector.requests.length === 1);
  clock.advance(2_999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  clock.advance(1);
  await stopped;
  expect(clock.waiting).toEqual([]);
  await collector.stop();
});

it('names in the log where spans go, without what is secret in a URL', async () => {
  const lines: LogLine[] = [];
  const environment = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://user:pass@127.0.0.1:1/otlp?key=secret' };
  const settings = readTracingSettings(environment) as TracingSettings;
  const tracing = startTracing(settings, { clock: createFakeClock(), logger: recordingLogger(lines) });
  await tracing.stop();
  expect(lines).toEqual([{ level: 'info', message: 'requests are traced', url: 'http://127.0.0.1:1/otlp' }]);
});
