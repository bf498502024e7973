import { hash } from 'node:crypto';
import { getCanonicalHeaders, SignatureV4Base } from '@smithy/signature-v4';
import { type Credentials, hmac, signingKey } from './credentials.ts';
import type { QueryParameters } from './normal-form.ts';
import { addHeader, type SignableHeaders } from './signable-headers.ts';

/** What the signature of a head covers. */
export interface SignableHead {
  readonly method: string;
  readonly signedPath: string;
  readonly query: QueryParameters;
  readonly headers: SignableHeaders;
  /** Value of `x-amz-content-sha256`. */
  readonly payloadHash: string;
  readonly service: string;
  readonly region: string;
  readonly s3: boolean;
  /** Milliseconds since the epoch, as the upstream counts them. */
  readonly time: number;
}

/** What the signatures of chunks go on from. */
export interface HeadSignature {
  readonly signature: string;
  /** As latin-1. */
  readonly key: string;
  /** As in `x-amz-date`. */
  readonly date: string;
  readonly scope: string;
}

/**
 * Headers left out of the signature: others on the way may change them, and they do not change what is done. What the
 * library leaves out itself (`connection`, `te`, `user-agent`, `proxy-*`, `sec-*`, ...) need not be here.
 */
const UNSIGNED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'baggage',
  'forwarded',
  'traceparent',
  'tracestate',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

/**
 * The library's canonical request. Its signer is asynchronous throughout and keeps fifty derived keys for the whole
 * process; what is hard, the canonical form, is synchronous and is what is used of it.
 */
class CanonicalForm extends SignatureV4Base {
  constructor(uriEscapePath: boolean) {
    const unused = (): never => {
      throw new Error('only the canonical form is used');
    };
    super({ service: '', region: '', credentials: unused, sha256: unused as never, uriEscapePath });
  }

  text(head: SignableHead, canonicalHeaders: Record<string, string>): string {
    const { method, signedPath: path, query } = head;
    const request = { method, path, query, headers: {}, protocol: '', hostname: '' };
    return this.createCanonicalRequest(request, canonicalHeaders, head.payloadHash);
  }
}

const ENCODED_ONCE = new CanonicalForm(false);
const ENCODED_TWICE = new CanonicalForm(true);

/**
 * Signs a head with Signature Version 4, adding `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` and
 * `authorization` to its headers ("Create a signed AWS API request", IAM User Guide).
 */
export function signHead(head: SignableHead, credentials: Credentials): HeadSignature {
  const { headers } = head;
  const date = new Date(head.time).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/${head.region}/${head.service}/aws4_request`;
  addHeader(headers, 'x-amz-date', date);
  addHeader(headers, 'x-amz-content-sha256', head.payloadHash);
  if (credentials.sessionToken !== null) addHeader(headers, 'x-amz-security-token', credentials.sessionToken);

  const canonicalHeaders = getCanonicalHeaders(
    { method: '', path: '', protocol: '', hostname: '', headers: headers.byName },
    UNSIGNED as Set<string>,
  );
  const canonical = (head.s3 ? ENCODED_ONCE : ENCODED_TWICE).text(head, canonicalHeaders);
  // Header values are latin-1, so these are the very bytes that are sent; all else in it is ASCII.
  const digest = hash('sha256', Buffer.from(canonical, 'latin1'), 'hex');
  const key = signingKey(credentials, scope);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${digest}`, 'hex');
  const names = Object.keys(canonicalHeaders).sort().join(';');
  addHeader(
    headers,
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  );
  return { signature, key, date, scope };
}
