import { type AwsService, isS3, readAwsHost } from '../../core/aws-hosts.ts';
import type { Finding } from '../problem.ts';
import type { UpstreamConfig } from '../schema/upstreams.ts';
import type { Check } from './check.ts';
import { isLoopback } from './plain-http.ts';

/** A signature names a service and a region: from the file, or off the host names of AWS, which must agree. */
export const signingScopes: Check = (draft) =>
  [...draft.upstreams].flatMap(([name, upstream]) => {
    if (!upstream?.sign) return [];
    const path = ['upstreams', name, 'sign'];
    const scopes = urlsOf(upstream).map((url) => scopeOf(upstream, url));
    return (['service', 'region'] as const).flatMap((key): Finding[] => {
      const values = new Set(scopes.map((scope) => scope[key]));
      if (values.has(null)) {
        const message = `is missing: the host of this upstream does not tell the ${key} to sign for`;
        return [{ path: [...path, key], message, at: 'parent' }];
      }
      if (values.size < 2) return [];
      const message = `is missing: the addresses of this upstream differ in it (${[...values].join(', ')})`;
      return [{ path: [...path, key], message, at: 'parent' }];
    });
  });

/** Only S3 takes bodies that are not signed, or signed in chunks; and unsigned ones only where TLS protects them. */
export const payloadModes: Check = (draft, { dev }) =>
  [...draft.upstreams].flatMap(([name, upstream]): Finding[] => {
    if (!upstream?.sign || upstream.sign.payload === 'hash') return [];
    const path = ['upstreams', name, 'sign', 'payload'];
    const urls = urlsOf(upstream);
    const { payload } = upstream.sign;
    const service = urls.map((url) => scopeOf(upstream, url).service).find((found) => found !== null);
    if (service != null && !isS3(service)) {
      return [{ path, message: `${payload} is for S3 only: ${service} takes hash` }];
    }
    const plain = urls.some((url) => url.startsWith('http://') && !isLoopback(url));
    if (payload !== 'unsigned' || dev || !plain) return [];
    return [{ path, message: 'unsigned needs an https upstream: nothing else would protect the body' }];
  });

/** A public route looks at no token, so there is nobody to sign for. */
export const ownIdentities: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route?.allow !== 'public') return [];
    const credentials = draft.upstreams.get(route.upstream)?.sign?.credentials;
    if (credentials === undefined || !('identityPool' in credentials)) return [];
    const message = `signs with each caller's own credentials, and a public route knows no caller: allow: optional lets guests in`;
    return [{ path: ['routes', index, 'allow'], message }];
  });

function urlsOf(upstream: UpstreamConfig): string[] {
  return upstream.urls ?? (upstream.url === undefined ? [] : [upstream.url]);
}

function scopeOf(
  { sign }: UpstreamConfig,
  url: string,
): { readonly service: string | null; readonly region: string | null } {
  const read: AwsService | null = readAwsHost(URL.parse(url)?.hostname ?? '');
  return { service: sign?.service ?? read?.service ?? null, region: sign?.region ?? read?.region ?? null };
}
