import {
  type Exchange,
  HANDED_OVER,
  outboundOf,
  routeOf,
  type Stage,
  type Verdict,
} from '../core/exchange.ts';
import { deny, fault, type Refusal } from '../core/refusal.ts';
import type { SigningPlan } from '../core/signing.ts';
import type { Matches } from './choose-role.ts';
import { withoutAwsChunked } from './client-body.ts';
import type { ClockOffsets } from './clock-offset.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { BodyHolder } from './hold-body.ts';
import { createIdentification } from './identify-caller.ts';
import { next } from './next.ts';
import { normalizeTarget } from './normal-form.ts';
import { type Payload, preparePayload } from './prepare-payload.ts';
import { signHead } from './sign-head.ts';
import { changeHeader, headerList, signableHeaders } from './signable-headers.ts';

export interface SignStageOptions {
  /** The source of a plan's credentials, by its name; undefined when the configuration no longer has it. */
  readonly sourceOf: (name: string) => CredentialSource | undefined;
  readonly matches: Matches;
  readonly holder: BodyHolder;
  readonly offsets: ClockOffsets;
}

/**
 * The stage that signs what leaves, for upstreams that have a plan for it. With credentials remembered and no body to
 * hash it never waits. It may run again for the same request, after another target was chosen or a clock was found to
 * be wrong.
 */
export function createSignStage(options: SignStageOptions): Stage {
  const { sourceOf, matches, holder } = options;
  const identify = createIdentification(matches);

  return {
    name: 'sign',
    run(exchange): Verdict | Promise<Verdict> {
      const { upstream } = routeOf(exchange);
      const plan = upstream.sign;
      if (plan === null) return undefined;
      const caller = identify(exchange, plan);
      if ('code' in caller) return caller;
      const source = sourceOf(plan.source.name);
      if (source === undefined) return fault('SIGN_CREDENTIALS_UNAVAILABLE', new Error('reloaded meanwhile'));

      const sign = (payload: Payload, credentials: Credentials | Refusal): Verdict =>
        'code' in credentials ? credentials : applySignature(exchange, plan, payload, credentials, options);

      return next(source.get(caller), (credentials): Verdict | Promise<Verdict> => {
        if ('code' in credentials) return credentials;
        // The client may have left meanwhile; the room that a body of its is held in would never be given back.
        if (exchange.settled) return HANDED_OVER;
        const payload = preparePayload(exchange, plan, holder);
        if (!(payload instanceof Promise)) return 'code' in payload ? payload : sign(payload, credentials);
        // Holding a body may take longer than the credentials last: the ones to sign with are taken now.
        return payload.then((held) =>
          'code' in held ? held : next(source.get(caller), (current) => sign(held, current)),
        );
      });
    },
  };
}

function applySignature(
  exchange: Exchange,
  plan: SigningPlan,
  payload: Payload,
  credentials: Credentials,
  { offsets }: SignStageOptions,
): Refusal | undefined {
  const outbound = outboundOf(exchange);
  const normal = normalizeTarget(outbound.path, plan.s3);
  if (normal === null) return deny('SIGN_QUERY_UNSUPPORTED');
  const headers = signableHeaders(outbound.headers);

  const encoding = headers.get('content-encoding');
  if (encoding !== undefined || payload.chunked) {
    const rest = withoutAwsChunked(encoding ?? '');
    const whole = payload.chunked ? `aws-chunked${rest === '' ? '' : `, ${rest}`}` : rest;
    changeHeader(headers, 'content-encoding', whole);
  }
  for (let i = 0; i < payload.headers.length; i += 2) {
    changeHeader(headers, payload.headers[i] as string, payload.headers[i + 1] as string);
  }
  // Signed here, written by `send` with the body.
  if (payload.contentLength > 0) headers.set('content-length', String(payload.contentLength));

  const { service, region, s3 } = plan;
  const { method } = outbound;
  const { signedPath, query } = normal;
  const time = offsets.now(outbound.upstream.name);
  const head = signHead(
    { method, signedPath, query, headers, payloadHash: payload.contentHash, service, region, s3, time },
    credentials,
  );
  outbound.path = normal.target;
  headers.delete('content-length');
  outbound.headers = headerList(headers);
  outbound.body = payload.body;
  outbound.transform = payload.transform?.(head) ?? null;
  outbound.contentLength = payload.contentLength;
  return undefined;
}
