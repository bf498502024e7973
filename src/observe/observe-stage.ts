import { createHash } from 'node:crypto';
import { ERRORS } from '../core/errors.ts';
import type { Exchange, Stage } from '../core/exchange.ts';
import type { LogFields } from '../core/log-fields.ts';
import type { Clock, ProcessLogger } from '../core/ports.ts';
import { traceContextOf } from '../core/trace-context.ts';
import type { Metrics } from './metrics.ts';
import type { Decision } from './request-metrics.ts';

export interface ObserveOptions {
  readonly metrics: Metrics;
  readonly logger: ProcessLogger;
  readonly clock: Clock;
  readonly subject: 'plain' | 'hashed';
  /** The share of requests let through that is logged, from 0 to 1. */
  readonly passes: number;
  /** At least 0 and less than 1. */
  readonly random: () => number;
}

/** What nginx logs for it. */
const CLIENT_LEFT = 499;

/** The last stage: counts a settled exchange and writes its line of the access log. Fields come from the list here only. */
export function createObserveStage(options: ObserveOptions): Stage {
  const { metrics, logger, clock, random } = options;
  return {
    name: 'observe',
    run(exchange) {
      const milliseconds = clock.monotonic() - exchange.startedAt;
      const answered = exchange.upstreamTime >= 0;
      metrics.count({
        method: exchange.request.method ?? '',
        status: exchange.status,
        route: exchange.route?.id ?? 'none',
        decision: decisionOf(exchange),
        code: exchange.refusal?.code ?? null,
        shadow: exchange.shadow?.code ?? null,
        seconds: milliseconds / 1000,
        upstream: answered ? (exchange.route?.upstream.name ?? null) : null,
        upstreamSeconds: exchange.upstreamTime / 1000,
      });
      const level = exchange.refusal === null ? 'info' : ERRORS[exchange.refusal.code].level;
      if (logger.enabled(level) && (isNotable(exchange) || random() < options.passes))
        logger[level](accessLine(exchange, milliseconds, options.subject), 'request');
      return undefined;
    },
  };
}

/** What is logged whatever the share of passes: all but the requests that were let through and went well. */
function isNotable({ refusal, shadow, status }: Exchange): boolean {
  return refusal !== null || shadow !== null || status >= 500 || status === CLIENT_LEFT;
}

/** Null for a client that left before there was one. */
function decisionOf(exchange: Exchange): Decision | null {
  if (exchange.refusal !== null) return exchange.refusal.kind;
  return exchange.status === CLIENT_LEFT && exchange.outbound === null ? null : 'allow';
}

function accessLine(exchange: Exchange, milliseconds: number, subject: 'plain' | 'hashed'): LogFields {
  const { inbound, principal, refusal, shadow, outbound } = exchange;
  return {
    requestId: exchange.requestId,
    traceId: (exchange.trace ?? traceContextOf(exchange))?.traceId,
    method: exchange.request.method,
    host: inbound?.host,
    path: inbound?.path,
    status: exchange.status,
    ms: round(milliseconds),
    upstreamMs: exchange.upstreamTime < 0 ? undefined : round(exchange.upstreamTime),
    bytes: exchange.bytesSent,
    route: exchange.route?.id,
    decision: decisionOf(exchange) ?? undefined,
    code: refusal?.code,
    shadow: shadow?.code,
    condition: (refusal ?? shadow)?.condition,
    err: (refusal ?? shadow)?.cause,
    subject:
      principal === null ? undefined : subject === 'plain' ? principal.subject : hash(principal.subject),
    clientId: principal?.clientId,
    pool: principal?.pool,
    client: exchange.client,
    // Named where it is another than the client: a proxy.
    peer: inbound === null || inbound.peer === exchange.client ? undefined : inbound.peer,
    // Where it went is told only where that may be at fault.
    target: refusal?.kind === 'fault' ? outbound?.target.origin : undefined,
  };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

function hash(subject: string): string {
  return createHash('sha256').update(subject).digest('base64url').slice(0, 22);
}
