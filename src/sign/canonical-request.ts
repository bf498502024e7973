import { ALWAYS_UNSIGNABLE_HEADERS, SignatureV4Base } from '@smithy/signature-v4';
import type { QueryParameters } from './normal-form.ts';
import type { SignableHeaders } from './signable-headers.ts';

/** What the canonical form of a request is made of. */
export interface SignableRequest {
  readonly method: string;
  readonly signedPath: string;
  readonly query: QueryParameters;
  readonly headers: SignableHeaders;
  /** Value of `x-amz-content-sha256`. */
  readonly payloadHash: string;
  /** The path is encoded once, not twice. */
  readonly s3: boolean;
}

export interface CanonicalRequest {
  readonly text: string;
  /** Names of the headers that it covers, as `SignedHeaders` has them. */
  readonly signedHeaders: string;
}

/**
 * Headers left out of the signature: others on the way may change them, and they do not change what is done. The library leaves out the
 * first of them itself, and `proxy-*` and `sec-*` as well.
 */
const UNSIGNED: ReadonlySet<string> = new Set([
  ...Object.keys(ALWAYS_UNSIGNABLE_HEADERS),
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
 * The library's canonical path and query, whose rules are many. The headers, whose rules are few, are ours: the library takes five
 * regular expressions for each.
 */
class TargetForm extends SignatureV4Base {
  constructor(uriEscapePath: boolean) {
    const unused = (): never => {
      throw new Error('only the canonical form is used');
    };
    super({ service: '', region: '', credentials: unused, sha256: unused as never, uriEscapePath });
  }

  /** The lines with method, path and query. */
  lines(method: string, path: string, query: QueryParameters): string {
    const request = { method, path, query, headers: {}, protocol: '', hostname: '' };
    return this.createCanonicalRequest(request, {}, '').slice(0, -AFTER_QUERY);
  }
}

/** Line ends of what follows the query where there are no headers and no hash: no lines of headers, an empty one, no names. */
const AFTER_QUERY = '\n\n\n'.length;

const ENCODED_ONCE = new TargetForm(false);
const ENCODED_TWICE = new TargetForm(true);

/** The canonical form of a request in Signature Version 4 ("Create a canonical request", IAM User Guide). */
export function canonicalRequest(request: SignableRequest): CanonicalRequest {
  const { method, signedPath, query, headers, payloadHash, s3 } = request;
  const names: string[] = [];
  for (const name of headers.keys()) if (isSigned(name)) names.push(name);
  names.sort();
  let lines = '';
  for (const name of names) lines += `${name}:${canonicalValue(headers.get(name) as string)}\n`;
  const signedHeaders = names.join(';');
  const target = (s3 ? ENCODED_ONCE : ENCODED_TWICE).lines(method, signedPath, query);
  return { text: `${target}${lines}\n${signedHeaders}\n${payloadHash}`, signedHeaders };
}

function isSigned(name: string): boolean {
  return !UNSIGNED.has(name) && !name.startsWith('proxy-') && !name.startsWith('sec-');
}

/** Without space at either end, and with one where there are several. */
function canonicalValue(value: string): string {
  if (!/^[ \t]|[ \t]$|\t| {2}/.test(value)) return value;
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '');
}
