import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { checkBody, checkChunks, type PayloadCheck, type Rejection } from './verify-payload.ts';

/**
 * What an AWS service does with a request before it looks at anything else: Signature Version 4 worked out anew from
 * the bytes that arrived ("Create a signed AWS API request", IAM User Guide). It shares nothing with the code that
 * signs, so that a mistake there is not repeated here.
 */
export interface SignatureVerifier {
  verify(head: ArrivedHead): HeadVerdict;
}

/** A request's head as it was on the wire. */
export interface ArrivedHead {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** In wire order, values as latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type HeadVerdict =
  | Rejection
  /** The head is genuine; the body still has to be fed to `payload`. */
  | { readonly valid: true; readonly accessKeyId: string; readonly payload: PayloadCheck };

export interface KnownCredentials {
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Milliseconds since the epoch; left out: for good. */
  readonly expiresAt?: number;
}

export interface SignatureVerifierOptions {
  readonly credentialsOf: (accessKeyId: string) => KnownCredentials | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The only scope that is right, where it matters. */
  readonly service?: string;
  readonly region?: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, SignedHeaders=([!#-;=?-~]+(?:;[!#-;=?-~]+)*), Signature=([0-9a-f]{64})$/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** S3 tolerates fifteen minutes, the others five. */
const SKEW = { s3: 900_000, others: 300_000 };

export function createSignatureVerifier(options: SignatureVerifierOptions): SignatureVerifier {
  return { verify: (head) => verifyHead(head, options) };
}

function verifyHead(head: ArrivedHead, options: SignatureVerifierOptions): HeadVerdict {
  const authorizations = valuesOf(head, 'authorization');
  const [authorization] = authorizations;
  if (authorization === undefined) return reject('MissingAuthenticationToken', 'the request is not signed');
  if (authorizations.length > 1) return reject('InvalidArgument', 'there are two Authorization headers');
  const [path, query] = splitTarget(head.target);
  if (/(^|&)x-amz-(algorithm|signature|credential)=/i.test(query)) {
    return reject('InvalidArgument', 'only one authentication mechanism is allowed');
  }
  const fields = AUTHORIZATION.exec(authorization);
  if (fields === null) return reject('IncompleteSignature', 'the Authorization header is not well-formed');
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = fields;
  const s3 = service === 's3';

  if (options.service !== undefined && options.service !== service) {
    return reject('SignatureDoesNotMatch', `credential should be scoped to service ${options.service}`);
  }
  if (options.region !== undefined && options.region !== region) {
    return reject('SignatureDoesNotMatch', `credential should be scoped to region ${options.region}`);
  }
  const date = valuesOf(head, 'x-amz-date').join(',');
  const time = readDate(date);
  if (time === null || !date.startsWith(day)) {
    return reject('SignatureDoesNotMatch', 'x-amz-date is missing or not the date of the credential scope');
  }
  if (Math.abs(options.now() - time) > (s3 ? SKEW.s3 : SKEW.others)) {
    return reject('RequestTimeTooSkewed', 'the request was signed too long ago, or in the future');
  }
  const known = options.credentialsOf(accessKeyId);
  if (known === undefined) return reject('InvalidAccessKeyId', 'the access key is not known');
  if (valuesOf(head, 'x-amz-security-token').join(',') !== (known.sessionToken ?? '')) {
    return reject('InvalidToken', 'the session token is not that of the access key');
  }
  if (known.expiresAt !== undefined && options.now() >= known.expiresAt) {
    return reject('ExpiredToken', 'the credentials have expired');
  }
  const signed = names.split(';');
  const unsigned = mustBeSigned(head).find((name) => !signed.includes(name));
  if (unsigned !== undefined) return reject('AccessDenied', `the header ${unsigned} is not signed`);
  if (signed.some((name, i) => i > 0 && name <= (signed[i - 1] ?? ''))) {
    return reject('SignatureDoesNotMatch', 'the signed headers are not in order');
  }
  const payloadHash = valuesOf(head, 'x-amz-content-sha256').join(',');
  if (payloadHash === '' && s3) return reject('InvalidRequest', 'the header x-amz-content-sha256 is missing');

  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = deriveKey(known.secretAccessKey, day, region, service);
  const judge = (contentHash: string): boolean => {
    const canonical = [
      head.method,
      canonicalPath(path, s3),
      canonicalQuery(query),
      ...signed.map((name) => `${name}:${canonicalValue(valuesOf(head, name))}`),
      '',
      names,
      contentHash,
    ].join('\n');
    const text = [ALGORITHM, date, scope, sha256(canonical)].join('\n');
    return equal(hmac(key, text).toString('hex'), signature);
  };
  const mismatch = reject('SignatureDoesNotMatch', 'the signature is not that of this request');
  // Without the header, the hash that was signed is only known when the body is.
  if (payloadHash === '') {
    return { valid: true, accessKeyId, payload: checkBody((hash) => (judge(hash) ? null : mismatch)) };
  }
  if (!judge(payloadHash)) return mismatch;
  const decodedLength = Number(valuesOf(head, 'x-amz-decoded-content-length')[0] ?? Number.NaN);
  const trailer = valuesOf(head, 'x-amz-trailer')[0] ?? null;
  const chunks = { key, date, scope, seed: signature, decodedLength, trailer };
  switch (payloadHash) {
    case 'UNSIGNED-PAYLOAD':
      return { valid: true, accessKeyId, payload: checkBody(() => null) };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { valid: true, accessKeyId, payload: checkChunks({ ...chunks, signed: true, trailer: null }) };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { valid: true, accessKeyId, payload: checkChunks({ ...chunks, signed: true }) };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { valid: true, accessKeyId, payload: checkChunks({ ...chunks, signed: false }) };
    default: {
      const wrong = reject('XAmzContentSHA256Mismatch', 'the body is not the one that was signed');
      return {
        valid: true,
        accessKeyId,
        payload: checkBody((hash) => (hash === payloadHash ? null : wrong)),
      };
    }
  }
}

function reject(code: string, reason: string): Rejection {
  return { valid: false, code, reason };
}

function valuesOf(head: ArrivedHead, name: string): string[] {
  return head.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** "You must include the host header and any x-amz-* headers"; of the others those that change what is done. */
function mustBeSigned(head: ArrivedHead): string[] {
  const present = head.headers.map(([name]) => name.toLowerCase());
  const wanted = present.filter(
    (name) => name.startsWith('x-amz-') || name === 'content-type' || name === 'content-md5',
  );
  return ['host', ...wanted];
}

function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

/** S3 decodes a key and encodes it once but for slashes; the others encode what arrived again, slashes merged. */
function canonicalPath(path: string, s3: boolean): string {
  if (s3) return encodeBytes(path).replaceAll('%2F', '/');
  const merged = path.replace(/\/{2,}/g, '/');
  return [...Buffer.from(merged, 'latin1')].map((byte) => (byte === 0x2f ? '/' : encodeByte(byte))).join('');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece): [string, string] => {
      const equals = piece.indexOf('=');
      return equals < 0
        ? [encodeBytes(piece), '']
        : [encodeBytes(piece.slice(0, equals)), encodeBytes(piece.slice(equals + 1))];
    })
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalValue(values: readonly string[]): string {
  return values.map((value) => value.trim().replace(/[ \t]+/g, ' ')).join(',');
}

/** Decodes, a plus sign being a space, then encodes everything but unreserved characters. */
function encodeBytes(text: string): string {
  const bytes = Buffer.from(text.replaceAll('+', ' '), 'latin1');
  let encoded = '';
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] ?? 0;
    const hex = text.slice(i + 1, i + 3);
    if (byte === 0x25 && /^[0-9A-Fa-f]{2}$/.test(hex)) {
      byte = Number.parseInt(hex, 16);
      i += 2;
    }
    encoded += encodeByte(byte);
  }
  return encoded;
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `20130524T000000Z` as milliseconds since the epoch; null when it is not that. */
function readDate(text: string): number | null {
  const fields = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (fields === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function deriveKey(secret: string, day: string, region: string, service: string): Buffer {
  return [day, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`, 'utf8'),
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
