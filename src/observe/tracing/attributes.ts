import type { Attributes } from '@opentelemetry/api';
import type { Exchange, StageName } from '../../core/exchange.ts';
import type { Refusal } from '../../core/refusal.ts';

/*
 * Names of OpenTelemetry's semantic conventions for HTTP spans (stable since 1.23), and under `cognito_auth_proxy.` what only
 * this proxy knows, in the words of its log. As in the log there is no query, header, token or claim; nor who the caller
 * is: that is in the line of log with the same trace id.
 */
const OURS = 'cognito_auth_proxy';

/** Methods that are named as they are; others could be invented without end. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

/** The first part of a span's name: `HTTP` for an unusual method. */
export function methodName({ request }: Exchange): string {
  const method = request.method ?? '';
  return METHODS.has(method) ? method : 'HTTP';
}

/** Of few different names: the method and the route's template, never a path. */
export function spanName(exchange: Exchange): string {
  const method = methodName(exchange);
  return exchange.route === null ? method : `${method} ${exchange.route.template}`;
}

/** What is said of a request that is over. */
export function requestAttributes(exchange: Exchange): Attributes {
  const { inbound, route, refusal, shadow, request } = exchange;
  return defined({
    ...methodAttributes(request.method ?? ''),
    'url.scheme': inbound?.scheme,
    'url.path': inbound?.path,
    'server.address': inbound?.host === '' ? undefined : inbound?.host,
    'server.port': inbound === null ? undefined : portOf(inbound.authority),
    'client.address': exchange.client === '' ? undefined : exchange.client,
    'network.peer.address': inbound?.peer,
    'network.protocol.version': request.httpVersion,
    'http.route': route?.template,
    'http.response.status_code': exchange.status === 0 ? undefined : exchange.status,
    [`${OURS}.request_id`]: exchange.requestId === '' ? undefined : exchange.requestId,
    [`${OURS}.route`]: route?.id,
    [`${OURS}.code`]: refusal?.code,
    [`${OURS}.condition`]: (refusal ?? shadow)?.condition,
    [`${OURS}.shadow`]: shadow?.code,
  });
}

/** What is said of a stage that is over. */
export function stageAttributes(stage: StageName, exchange: Exchange, refusal: Refusal | null): Attributes {
  const { principal, outbound, route } = exchange;
  const plan = route?.upstream.sign ?? null;
  return defined({
    [`${OURS}.code`]: refusal?.code,
    [`${OURS}.condition`]: refusal?.condition,
    [`${OURS}.user_pool`]: stage === 'authenticate' ? principal?.pool : undefined,
    [`${OURS}.upstream`]: stage === 'prepare' ? outbound?.upstream.name : undefined,
    [`${OURS}.credentials`]: stage === 'sign' ? plan?.source.name : undefined,
  });
}

/** What is said of an attempt to send, as it is now; `error` is null where it went well. */
export function attemptAttributes(exchange: Exchange): {
  readonly attributes: Attributes;
  readonly error: string | null;
} {
  const { outbound, refusal, status, attempts } = exchange;
  if (outbound === null) return { attributes: {}, error: null };
  const { origin } = outbound.target;
  const answered = exchange.upstreamTime >= 0;
  const attributes = defined({
    ...methodAttributes(outbound.method),
    'url.full': origin + (outbound.path.split('?', 1)[0] ?? ''),
    ...serverOf(origin),
    'http.response.status_code': answered ? status : undefined,
    'http.request.resend_count': attempts > 1 ? attempts - 1 : undefined,
    [`${OURS}.upstream`]: outbound.upstream.name,
  });
  // To whoever asks, an answer of 4xx is an error too.
  const error = refusal?.code ?? (answered && status >= 400 ? String(status) : null);
  return { attributes, error };
}

function methodAttributes(method: string): Record<string, string | undefined> {
  return METHODS.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method };
}

/** @param origin such as `http://board.internal:3000`, or with a port left out */
function serverOf(origin: string): Record<string, string | number | undefined> {
  const [, scheme, host, port] = /^(https?):\/\/(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(origin) ?? [];
  return {
    'server.address': host,
    'server.port': port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port),
  };
}

function portOf(authority: string): number | undefined {
  const port = /:(\d+)$/.exec(authority)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Without what does not apply: OpenTelemetry would complain. */
function defined(attributes: Readonly<Record<string, string | number | undefined>>): Attributes {
  const kept: Attributes = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
