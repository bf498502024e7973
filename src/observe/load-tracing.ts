import type { Clock, Logger } from '../core/ports.ts';
import type { Tracing } from '../core/tracing.ts';
import { readTracingSettings } from './tracing-settings.ts';

/**
 * Begins to trace where the environment asks for it. OpenTelemetry's SDK is loaded here and nowhere else: whoever does not
 * trace does without it.
 * @returns null where nothing is to be traced
 * @throws when the environment names no usable place to send traces to
 */
export async function loadTracing(
  environment: Readonly<Record<string, string | undefined>>,
  context: { readonly clock: Clock; readonly logger: Logger },
): Promise<Tracing | null> {
  const settings = readTracingSettings(environment);
  if (settings === null) return null;
  const { logger } = context;
  if (settings.ignored.length > 0) {
    logger.warn({ keys: settings.ignored }, 'these variables cannot be used for tracing and count as unset');
  }
  const { startTracing } = await import('./tracing/start-tracing.ts');
  return startTracing(settings, context);
}
