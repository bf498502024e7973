import { IncomingMessage, METHODS, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { compareTokens, ID_TOKENS } from './authenticate/id-token.ts';
import { parseToken } from './authenticate/parse-token.ts';
import { readPrincipal } from './authenticate/read-principal.ts';
import { poolPolicies } from './authenticate/user-pools.ts';
import { compileRoutes } from './authorize/compile-routes.ts';
import { compileConditions } from './authorize/compile-rule.ts';
import { decide } from './authorize/decide.ts';
import { holds } from './authorize/evaluate-condition.ts';
import { type ExplainedCondition, explainCondition } from './authorize/explain-rule.ts';
import { createRouter, type Router } from './authorize/find-route.ts';
import { readParameters, routeForMethod } from './authorize/route-index.ts';
import type { Config } from './config/schema/config.ts';
import { ERRORS, type ErrorCode } from './core/errors.ts';
import { Exchange, inboundOf } from './core/exchange.ts';
import type { Inbound } from './core/inbound.ts';
import type { Principal } from './core/principal.ts';
import { deny, type Refusal } from './core/refusal.ts';
import { NO_PARAMETERS } from './core/route.ts';
import type { SigningPlan } from './core/signing.ts';
import { describeRefusedPath, describeRefusedSpelling } from './explain-ambiguity.ts';
import { type RefusedToken, readRefusedToken } from './explain-token.ts';
import { describeRateLimit } from './limit/describe-rate-limit.ts';
import { createCanonicalizeStage } from './listen/canonicalize.ts';
import { parseRequestTarget } from './listen/request-target.ts';
import { compileUpstreams } from './prepare/compile-upstreams.ts';
import { compileSigning } from './sign/compile-signing.ts';
import { describeSigning, type SigningDescription } from './sign/describe-signing.ts';

/** A request to be explained without sending it. */
export interface ExplainedRequest {
  readonly method: string;
  /** Absolute, or a path; its host is the Host header. */
  readonly url: string;
  readonly token: string | null;
  /** The ID token beside an access token; null: none. */
  readonly idToken: string | null;
  /** Seconds since the epoch. */
  readonly now: number;
}

interface ExplainedRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly description: string;
  /** What of this request it is about; null where the description says all. */
  readonly detail: string | null;
}

/** What would become of a request, and why. */
export interface Explanation {
  readonly outcome: 'allow' | 'deny';
  /** Null when it would pass. */
  readonly refusal: ExplainedRefusal | null;
  /** What the rule would refuse it with, were it enforced on this route; null: nothing, or it is enforced. */
  readonly shadow: ExplainedRefusal | null;
  /** The path as it is matched and sent; null when it would be refused. */
  readonly path: string | null;
  readonly route: {
    readonly id: string;
    readonly upstream: string;
    readonly allow: string;
    readonly enforce: boolean;
    /** How often it may be used; null: no limit. Whether the caller is over it is not known here. */
    readonly rateLimit: string | null;
  } | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly principal: Pick<
    Principal,
    'pool' | 'subject' | 'username' | 'clientId' | 'tokenUse' | 'groups' | 'scopes' | 'expiresAt'
  > | null;
  /** What the caller's token says, where it is refused and can be read. */
  readonly refusedToken: RefusedToken | null;
  readonly conditions: readonly ExplainedCondition[];
  /** How it would be signed; null when it would not be, or not get that far. */
  readonly signing: SigningDescription | null;
}

/** Explains requests under one configuration. */
export type Explain = (asked: ExplainedRequest) => Explanation;

/** Explains one request; {@link createExplainer} is for several under one configuration. */
export function explainRequest(config: Config, asked: ExplainedRequest): Explanation {
  return createExplainer(config)(asked);
}

/**
 * Takes requests through the same stages that serve does, up to the decision, and tells what each found. A token's
 * signature is not checked, since that needs the pool's keys; everything else about it is.
 */
export function createExplainer(config: Config): Explain {
  const { limits, trustedProxies } = config.server;
  const stage = createCanonicalizeStage({
    scheme: 'http',
    trustedProxies,
    headerBytes: limits.headerBytes,
    headerCount: limits.headerCount,
    urlBytes: limits.urlBytes,
  });
  const upstreams = compileUpstreams(config, compileSigning(config, compileConditions));
  const router = createRouter(compileRoutes(config, upstreams));
  return (asked) => {
    // Node's parser takes no others, and answers for itself.
    if (!METHODS.includes(asked.method)) {
      const detail = `because ${JSON.stringify(asked.method)} is no method: they are known by name, in upper case`;
      return { ...refused(deny('REQUEST_MALFORMED'), detail), ...NOTHING };
    }
    const exchange = exchangeFor(asked);
    const refusal = stage.run(exchange) as Refusal | undefined;
    if (refusal !== undefined) {
      const ambiguous = refusal.code === 'REQUEST_PATH_AMBIGUOUS';
      const path = parseRequestTarget(exchange.request.url ?? '')?.path ?? '';
      return { ...refused(refusal, ambiguous ? describeRefusedPath(path) : null), ...NOTHING };
    }
    return explainInbound(config, asked, inboundOf(exchange), router);
  };
}

const NOTHING = {
  path: null,
  route: null,
  parameters: {},
  principal: null,
  refusedToken: null,
  conditions: [],
  signing: null,
} as const;

function explainInbound(
  config: Config,
  asked: ExplainedRequest,
  inbound: Inbound,
  router: Router,
): Explanation {
  const route = router.find(inbound);
  if ('code' in route) {
    return { ...refused(route, whyNoRoute(route, inbound, router)), ...NOTHING, path: inbound.path };
  }

  const found = {
    path: inbound.path,
    route: {
      id: route.id,
      upstream: route.upstream.name,
      allow: route.rule.kind,
      enforce: route.enforce,
      rateLimit: route.rateLimit === null ? null : describeRateLimit(route.rateLimit),
    },
    parameters: { ...readParameters(route, inbound.path) },
  };
  const identified =
    asked.token === null || route.rule.kind === 'public'
      ? null
      : readUnverified(asked.token, config, asked.now);
  if (identified !== null && 'code' in identified) {
    const end = route.enforce ? refused(identified) : { ...PASSED, shadow: describeRefusal(identified) };
    const refusedToken = readRefusedToken(asked.token ?? '', identified.code, config);
    return { ...end, ...found, principal: null, refusedToken, conditions: [], signing: null };
  }
  const verdict = decide(route, identified, found.parameters);
  const conditions =
    identified !== null && route.rule.kind === 'conditions'
      ? explainCondition(route.rule.condition, identified, found.parameters)
      : [];
  const signing =
    verdict === undefined && route.upstream.sign !== null
      ? explainSigning(route.upstream.sign, identified, config, asked)
      : null;
  const refusal = verdict ?? (signing !== null && 'code' in signing ? signing : null);
  const outcome = refusal === null ? PASSED : refused(refusal);
  return {
    ...(verdict === undefined || route.enforce ? outcome : { ...PASSED, shadow: describeRefusal(verdict) }),
    ...found,
    principal: identified,
    refusedToken: null,
    conditions,
    signing: signing === null || 'code' in signing ? null : signing,
  };
}

/** What the code alone does not say of a request for which there is no route. */
function whyNoRoute({ code, allow }: Refusal, inbound: Inbound, router: Router): string | null {
  if (allow !== undefined) return `because it allows ${allow.join(', ')}`;
  if (code !== 'REQUEST_PATH_AMBIGUOUS') return null;
  const route = routeForMethod(router.match(inbound) ?? [], inbound.method);
  return describeRefusedSpelling(inbound.irregular, route?.permit ?? 0);
}

function explainSigning(
  plan: SigningPlan,
  caller: Principal | null,
  config: Config,
  asked: ExplainedRequest,
): SigningDescription | Refusal {
  const beside = asked.idToken === null ? null : readUnverified(asked.idToken, config, asked.now, ID_TOKENS);
  if (beside !== null && 'code' in beside) return beside;
  const mismatch = caller === null || beside === null ? undefined : compareTokens(caller, beside);
  if (mismatch !== undefined) return mismatch;
  const idToken = caller?.tokenUse === 'id' ? caller : beside;
  return describeSigning(plan, caller, idToken?.claims ?? null, (condition, principal) =>
    holds(condition, principal, NO_PARAMETERS),
  );
}

const PASSED = { outcome: 'allow', refusal: null, shadow: null } as const;

function refused(
  refusal: Refusal,
  detail: string | null = null,
): Pick<Explanation, 'outcome' | 'refusal' | 'shadow'> {
  return { outcome: 'deny', refusal: describeRefusal(refusal, detail), shadow: null };
}

function describeRefusal({ code }: Refusal, detail: string | null = null): ExplainedRefusal {
  const { status, description } = ERRORS[code];
  return { status, code, description, detail };
}

/** @param tokenUse kinds of token accepted, instead of those that the pool accepts from callers */
function readUnverified(
  token: string,
  config: Config,
  now: number,
  tokenUse?: ReadonlySet<string>,
): Principal | Refusal {
  const parsed = parseToken(token);
  if ('code' in parsed) return parsed;
  const { iss } = parsed.claims;
  if (typeof iss !== 'string') return { kind: 'deny', code: 'AUTHN_CLAIMS_INVALID' };
  const policy = poolPolicies(config.userPools).get(iss);
  if (policy === undefined) return { kind: 'deny', code: 'AUTHN_ISSUER_UNKNOWN' };
  return readPrincipal(parsed.claims, iss, tokenUse === undefined ? policy : { ...policy, tokenUse }, now);
}

/** A request as node:http would have read it, had a browser sent it: what it types as a space or beyond ASCII is encoded. */
function exchangeFor(asked: ExplainedRequest): Exchange {
  const request = new IncomingMessage(new Socket());
  const url = asked.url.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  const target = absolute?.[2] ?? url;
  request.method = asked.method;
  request.url = absolute !== null && !target.startsWith('/') ? `/${target}` : target;
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.rawHeaders = ['Host', absolute?.[1] ?? 'localhost'];
  const runner = { refuse: () => undefined, retry: () => undefined };
  return new Exchange(request, new ServerResponse(request), null, 0, false, runner);
}
