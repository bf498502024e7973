import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../../core/ports.ts';

/** OpenTelemetry's ExportResultCode.SUCCESS, of a package that is not a dependency of ours. */
const SUCCESS = 0;

/**
 * Tells the log when spans cannot be sent, and when they can again: once each time, since a collector that is away is
 * asked every few seconds.
 * @param url to name in the log
 */
export function watchExporter(exporter: SpanExporter, url: string, logger: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== SUCCESS && !failing) {
          logger.warn({ url, err: result.error }, 'spans could not be exported');
        } else if (result.code === SUCCESS && failing) {
          logger.info({ url }, 'spans are exported again');
        }
        failing = result.code !== SUCCESS;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
