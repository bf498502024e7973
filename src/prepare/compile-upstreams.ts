import type { Config } from '../config/schema/config.ts';
import type { SigningPlan } from '../core/signing.ts';
import type { Target, Upstream } from '../core/upstream.ts';

/**
 * Compiles the upstreams of a checked configuration, by their names.
 * @param signing how those that are signed are signed
 */
export function compileUpstreams(
  config: Config,
  signing: ReadonlyMap<string, SigningPlan>,
): Map<string, Upstream> {
  const upstreams = new Map<string, Upstream>();
  for (const [name, settings] of Object.entries(config.upstreams)) {
    const urls = settings.urls ?? (settings.url === undefined ? [] : [settings.url]);
    upstreams.set(name, {
      name,
      targets: urls.map(readTarget),
      host: settings.host,
      retries: settings.retries,
      next: 0,
      sign: signing.get(name) ?? null,
    });
  }
  return upstreams;
}

function readTarget(text: string): Target {
  const url = new URL(text);
  return {
    origin: url.origin,
    authority: url.host,
    basePath: url.pathname.replace(/\/$/, ''),
    failures: 0,
    ejectedUntil: 0,
  };
}
