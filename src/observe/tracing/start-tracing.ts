import { randomUUID } from 'node:crypto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Clock, Logger } from '../../core/ports.ts';
import type { Tracing } from '../../core/tracing.ts';
import type { SamplerSettings, TracingSettings } from '../tracing-settings.ts';
import { Recording } from './recording.ts';
import { watchExporter } from './watch-exporter.ts';
import { watchStages } from './watch-stages.ts';

/** The SDK's enumeration, by its values. */
type Compression = Required<NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>>['compression'];

/** Milliseconds for what is recorded to be sent at the end. */
const STOP_DEADLINE = 3_000;

/**
 * Starts OpenTelemetry's SDK, by itself: nothing is registered globally, and nothing of the process is instrumented. Its
 * exporter looks up certificates in the environment of the process on its own.
 */
export function startTracing(
  settings: TracingSettings,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Tracing {
  const { url, headers, timeout, compression, batch } = settings;
  const shown = withoutSecrets(url);
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    compression: compression as Compression,
    ...(timeout !== undefined && { timeoutMillis: timeout }),
  });
  const provider = new TracerProvider({
    sampler: samplerOf(settings.sampler),
    resource: defaultResource().merge(
      resourceFromAttributes({
        // Several processes and replicas have one name; each is an instance of its own.
        'service.instance.id': randomUUID(),
        ...settings.resource,
      }),
    ),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: watchExporter(exporter, shown, logger),
        ...(batch.delay !== undefined && { scheduledDelayMillis: batch.delay }),
        ...(batch.queue !== undefined && { maxQueueSize: batch.queue }),
        ...(batch.size !== undefined && { maxExportBatchSize: batch.size }),
      }),
    ],
  });
  const tracer = provider.getTracer('cognito-auth-proxy');
  logger.info({ url: shown }, 'requests are traced');

  return {
    watch: (stages) => watchStages(stages, (exchange) => new Recording(tracer, exchange, clock), logger),
    stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const deadline = clock.after(STOP_DEADLINE, resolve);
      // What could not be sent is in the log.
      provider.shutdown().then(resolve, () => resolve());
      return promise.finally(() => deadline.cancel());
    },
  };
}

function samplerOf({ kind, parentBased, ratio }: SamplerSettings): Sampler {
  const root =
    kind === 'traceidratio'
      ? new TraceIdRatioBasedSampler(ratio)
      : kind === 'always_on'
        ? new AlwaysOnSampler()
        : new AlwaysOffSampler();
  return parentBased ? new ParentBasedSampler({ root }) : root;
}

/** For the log: a URL may hold a key. */
function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
