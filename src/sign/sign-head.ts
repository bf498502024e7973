import { canonicalRequest, type SignableRequest } from './canonical-request.ts';
import { type Credentials, signingKey } from './credentials.ts';
import { type HmacKey, hmac, sha256 } from './hmac.ts';

/** What the signature of a head covers. */
export interface SignableHead extends SignableRequest {
  readonly service: string;
  readonly region: string;
  /** Milliseconds since the epoch, as the upstream counts them. */
  readonly time: number;
}

/** What the signatures of chunks go on from. */
export interface HeadSignature {
  readonly signature: string;
  readonly key: HmacKey;
  /** As in `x-amz-date`. */
  readonly date: string;
  readonly scope: string;
}

/**
 * Signs a head with Signature Version 4, adding `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` and
 * `authorization` to its headers ("Create a signed AWS API request", IAM User Guide).
 */
export function signHead(head: SignableHead, credentials: Credentials): HeadSignature {
  const { headers } = head;
  const date = writeDate(head.time);
  const scope = `${date.slice(0, 8)}/${head.region}/${head.service}/aws4_request`;
  headers.set('x-amz-date', date);
  headers.set('x-amz-content-sha256', head.payloadHash);
  if (credentials.sessionToken !== null) headers.set('x-amz-security-token', credentials.sessionToken);

  // Header values are latin-1, so these are the very bytes that are sent; all else in it is ASCII.
  const { text, signedHeaders } = canonicalRequest(head);
  const key = signingKey(credentials, scope);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(text, 'hex')}`, 'hex');
  headers.set(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  );
  return { signature, key, date, scope };
}

let lastSecond = -1;
let lastDate = '';

/** A time as in `x-amz-date`; a second's is remembered, as many have the same. */
function writeDate(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '');
  }
  return lastDate;
}
