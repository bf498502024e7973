import type { CorsConfig } from '../config/schema/routes.ts';
import { type HeaderList, headerValue } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';
import type { CorsPolicy } from '../core/route.ts';

/** A policy that the proxy itself answers for. */
type OwnPolicy = Exclude<CorsPolicy, 'upstream'>;

/** Compiles a cross-origin policy; header values are made once. */
export function compileCors(config: CorsConfig): CorsPolicy | null {
  if (config === null || config === 'upstream') return config;
  return {
    anyOrigin: config.origins.includes('*'),
    origins: new Set(config.origins.map((origin) => origin.toLowerCase())),
    credentials: config.credentials,
    methods: config.methods.join(', '),
    headers: config.headers.join(', '),
    exposeHeaders: config.exposeHeaders.join(', '),
    maxAge: String(Math.floor(config.maxAge / 1000)),
  };
}

/**
 * The method a preflight asks about (Fetch standard, CORS-preflight request); undefined when this is none. A preflight has
 * no body: what has one is a request like any other.
 */
export function preflightMethod(inbound: Inbound): string | undefined {
  if (inbound.method !== 'OPTIONS' || inbound.contentLength !== 0) return undefined;
  if (headerValue(inbound.headers, 'origin') === undefined) return undefined;
  return headerValue(inbound.headers, 'access-control-request-method');
}

/** The headers that let a script of this origin read the answer; `Vary` keeps caches from mixing origins up. */
export function corsHeaders(policy: OwnPolicy, origin: string | undefined): HeaderList {
  const headers: HeaderList = [];
  const openToAll = policy.anyOrigin && !policy.credentials;
  if (!openToAll) headers.push('vary', 'Origin');
  if (origin === undefined || !isAllowedOrigin(policy, origin)) return headers;
  headers.push('access-control-allow-origin', openToAll ? '*' : origin);
  if (policy.credentials) headers.push('access-control-allow-credentials', 'true');
  if (policy.exposeHeaders !== '') headers.push('access-control-expose-headers', policy.exposeHeaders);
  return headers;
}

/** The further headers of a preflight's answer. */
export function preflightHeaders(policy: OwnPolicy, origin: string | undefined): HeaderList {
  if (origin === undefined || !isAllowedOrigin(policy, origin)) return [];
  const headers: HeaderList = ['access-control-allow-methods', policy.methods];
  if (policy.headers !== '') headers.push('access-control-allow-headers', policy.headers);
  headers.push('access-control-max-age', policy.maxAge);
  return headers;
}

export function isAllowedOrigin(policy: OwnPolicy, origin: string): boolean {
  return policy.anyOrigin || policy.origins.has(origin.toLowerCase());
}
