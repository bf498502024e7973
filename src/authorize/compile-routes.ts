import type { Config } from '../config/schema/config.ts';
import { isEnforced } from '../core/enforcement.ts';
import { Irregularity } from '../core/inbound.ts';
import type { RateLimit } from '../core/rate-limit.ts';
import type { Route } from '../core/route.ts';
import type { Upstream } from '../core/upstream.ts';
import { comparedParameters } from './compared-values.ts';
import { compileRule } from './compile-rule.ts';
import { compileCors } from './cors.ts';

const PERMITS: Readonly<Record<Config['routes'][number]['match']['permit'][number], number>> = {
  '%2F': Irregularity.encodedSlash,
  '%25': Irregularity.encodedPercent,
  '%23': Irregularity.encodedHash,
  '%3F': Irregularity.encodedQuestionMark,
  ';': Irregularity.semicolon,
  '//': Irregularity.emptySegment,
};

/** The names under which routes permit these spellings. */
export function spellingsOf(irregular: number): string[] {
  return Object.entries(PERMITS).flatMap(([name, bit]) => ((irregular & bit) === 0 ? [] : [name]));
}

/**
 * Compiles the routes of a checked configuration.
 * @param upstreams by the names the configuration gives them
 */
export function compileRoutes(config: Config, upstreams: ReadonlyMap<string, Upstream>): Route[] {
  const ruleOf = memoize(compileRule);
  const corsOf = memoize(compileCors);
  const methodsOf = memoize((methods: readonly string[]) => new Set(methods));
  return config.routes.map((route): Route => {
    const upstream = upstreams.get(route.upstream);
    const settings = config.upstreams[route.upstream];
    if (upstream === undefined || settings === undefined) throw new Error(`no upstream ${route.upstream}`);
    const rule = ruleOf(route.allow);
    const cors = corsOf(route.cors === undefined ? config.cors : route.cors);
    const signed = upstream.sign !== null;
    return {
      id: route.id,
      host: route.match.host ?? null,
      methods: route.match.methods === undefined ? null : methodsOf(route.match.methods),
      template: route.match.path,
      permit: route.match.permit.reduce((bits, permit) => bits | PERMITS[permit], 0),
      rule,
      // Whatever the configuration says: nobody may be signed for whom the rule would refuse, with preflights or without.
      enforce: signed || isEnforced(route, config.enforce),
      rateLimit: compileRateLimit(route.id, route.rateLimit),
      readsParameters: rule.kind === 'conditions' && comparedParameters(rule.condition).length > 0,
      upstream,
      stripPrefix: route.rewrite?.stripPrefix ?? null,
      cors: signed && cors === 'upstream' ? null : cors,
      forwardToken: route.forwardToken ?? config.identity.forwardToken,
      bodyBytes: route.limits === undefined ? config.server.limits.bodyBytes : route.limits.bodyBytes,
      responseTimeout: route.timeouts?.response ?? settings.timeouts.response,
      bodyIdleTimeout: route.timeouts?.bodyIdle ?? settings.timeouts.bodyIdle,
    };
  });
}

/**
 * Has what is written alike compiled once: most of thousands of routes share a few rules, and what many requests touch stays in the
 * processor's caches.
 */
function memoize<C, T>(compile: (config: C) => T): (config: C) => T {
  const compiled = new Map<string, T>();
  return (config) => {
    const text = JSON.stringify(config);
    const known = compiled.get(text);
    if (known !== undefined) return known;
    const made = compile(config);
    compiled.set(text, made);
    return made;
  };
}

function compileRateLimit(route: string, config: Config['routes'][number]['rateLimit']): RateLimit | null {
  if (config === undefined) return null;
  const { by, requests, per, burst = requests } = config;
  return { route, by, requests, per, burst };
}
