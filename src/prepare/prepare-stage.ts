import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/schema/config.ts';
import { SHADOW_HEADER } from '../core/enforcement.ts';
import { inboundOf, routeOf, type Stage } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';
import type { Balancer } from '../core/ports.ts';
import { deny } from '../core/refusal.ts';
import type { Route } from '../core/route.ts';
import { addForwarded } from './forwarded.ts';
import { createHeaderFates, Fate } from './header-hygiene.ts';
import { createIdentityHeaders } from './identity-headers.ts';
import { createTokenStripper } from './strip-token.ts';

const NOTHING: readonly string[] = [];

/**
 * The stage that makes the request to send: headers cleaned, then our own set last, the canonical path rewritten, an
 * address of the upstream chosen.
 */
export function createPrepareStage(
  config: Pick<Config, 'identity' | 'identityPools' | 'tokenSources'>,
  balancer: Balancer,
): Stage {
  const { identity, tokenSources } = config;
  const ours = [
    ...Object.keys(identity.headers),
    'x-id-token',
    SHADOW_HEADER,
    ...loginHeaders(config.identityPools),
  ];
  const fateOf = createHeaderFates(identity.prefix, ours, tokenSources);
  const identityHeaders = createIdentityHeaders(identity.headers);
  const strip = createTokenStripper(tokenSources);

  const cleanHeaders = (inbound: Inbound, route: Route, headers: HeaderList): void => {
    let sentForwarded: HeaderList | null = null;
    const sent = inbound.headers;
    for (let i = 0; i < sent.length; i += 2) {
      const name = sent[i] as string;
      const value = sent[i + 1] as string;
      const fate = fateOf(name);
      if (fate === Fate.pass) headers.push(name, value);
      else if (fate === Fate.token) {
        if (route.forwardToken || isForUpstream(route, name, value)) headers.push(name, value);
      } else if (fate === Fate.forwarded) {
        sentForwarded ??= [];
        sentForwarded.push(name, value);
      } else if (fate === Fate.cookie || fate === Fate.webSocketProtocol) {
        const rest = route.forwardToken
          ? value
          : fate === Fate.cookie
            ? strip.cookie(value)
            : strip.webSocketProtocol(value);
        if (rest !== '') headers.push(name, rest);
      } else if (fate === Fate.te && !inbound.upgrade) {
        // A sender of TE names it in Connection (RFC 9110 section 10.1.4). What follows an upgrade has no trailers.
        headers.push(name, value, 'connection', 'TE');
      }
    }
    addForwarded(headers, inbound, sentForwarded ?? NOTHING);
  };

  return {
    name: 'prepare',
    run(exchange) {
      const inbound = inboundOf(exchange);
      const route = routeOf(exchange);
      const { upstream } = route;
      if (route.bodyBytes !== null && inbound.contentLength > route.bodyBytes) return deny('LIMIT_BODY');

      const target = balancer.choose(upstream);
      const headers: HeaderList = [
        'host',
        upstream.host === 'client' && inbound.authority !== '' ? inbound.authority : target.authority,
      ];
      cleanHeaders(inbound, route, headers);
      headers.push('x-request-id', exchange.requestId);
      if (exchange.principal !== null) headers.push(...identityHeaders(exchange.principal));
      if (exchange.shadow !== null) headers.push(SHADOW_HEADER, exchange.shadow.code);

      const query = route.forwardToken ? inbound.query : strip.query(inbound.query);
      const path = rewritePath(inbound.path, route.stripPrefix);
      const pathAndQuery = query === null ? path : `${path}?${query}`;
      const { contentLength } = inbound;
      exchange.outbound = {
        upstream,
        target,
        method: inbound.method,
        path: target.basePath + pathAndQuery,
        pathAndQuery,
        headers,
        body: contentLength === 0 ? null : (exchange.request satisfies IncomingMessage),
        transform: null,
        contentLength,
      };
      return undefined;
    },
  };
}

/**
 * Where no token is looked at, another scheme's credentials, such as Basic, are meant for the upstream. A bare value may
 * be a token and never is passed on.
 */
function isForUpstream(route: Route, name: string, value: string): boolean {
  return (
    route.rule.kind === 'public' &&
    name === 'authorization' &&
    /^(?!bearer )[A-Za-z][A-Za-z0-9-]* /i.test(value)
  );
}

/** The prefix is a whole number of segments of the route's own template, so what is left starts with a slash. */
function rewritePath(path: string, stripPrefix: string | null): string {
  if (stripPrefix === null) return path;
  const rest = path.slice(stripPrefix.length);
  return rest === '' ? '/' : rest;
}

/** Headers that carry other providers' tokens, which are for identity pools and no upstream to see. */
function loginHeaders(pools: Config['identityPools']): string[] {
  const logins = Object.values(pools).flatMap((pool) => Object.values(pool.logins ?? {}));
  return logins.flatMap((login) => ('header' in login ? [login.header] : []));
}
