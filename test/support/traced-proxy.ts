import { type ProxyConfig, type ProxyOptions, type ProxyUnderTest, startProxy } from './proxy.ts';
import { startTraceCollector, type TraceCollector } from './trace-collector.ts';

/** A proxy whose spans go to a collector, almost at once. */
export interface TracedProxy {
  readonly proxy: ProxyUnderTest;
  readonly collector: TraceCollector;
  stop(): Promise<void>;
}

export async function startTracedProxy(
  config: ProxyConfig,
  variables: Readonly<Record<string, string>> = {},
  options: ProxyOptions = {},
): Promise<TracedProxy> {
  const collector = await startTraceCollector();
  const environment = tracingTo(collector, variables);
  const proxy = await startProxy(config, { ...options, environment });
  return {
    proxy,
    collector,
    async stop() {
      await proxy.stop();
      await collector.stop();
    },
  };
}

/** The environment of a process that sends its spans there. */
export function tracingTo(
  collector: TraceCollector,
  variables: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '10', ...variables };
}

/** A `traceparent` of a trace that a client has begun. */
export const CLIENT_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
export const CLIENT_SPAN = '00f067aa0ba902b7';
export function traceparent(flags = '01', traceId = CLIENT_TRACE): string {
  return `traceparent: 00-${traceId}-${CLIENT_SPAN}-${flags}`;
}
