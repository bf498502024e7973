/** A request target in the one form that is both signed and sent. */
export interface NormalTarget {
  /** What is sent: path and query. */
  readonly target: string;
  /** The path that the signature covers, before any second encoding. */
  readonly signedPath: string;
  /** Decoded parameters by name, in a map without a prototype. */
  readonly query: QueryParameters;
}

export type QueryParameters = Record<string, string | string[]>;

const NO_QUERY: QueryParameters = Object.freeze(Object.create(null) as QueryParameters);

/** Parameters of a presigned URL (Signature Version 4, "Authentication methods"): a request is signed in one way only. */
const PRESIGNED =
  /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/i;

/** The same of Signature Version 2, whose names mean nothing unless they come together. */
const PRESIGNED_V2 = /^(?:AWSAccessKeyId|Signature|Expires)$/;

/**
 * Rewrites what some servers read in more than one way. In the query a plus sign becomes the space that form decoding
 * makes of it, everything but unreserved characters is percent-encoded, empty pieces go, presigned parameters go. The
 * path is left as it was judged, but for S3, which reads a plus sign in a key as a space: there every reserved
 * character is encoded, as its own SDKs do. Doing it twice changes nothing.
 *
 * @param target a canonical path, and a raw query
 * @returns null for a query that cannot be signed: not UTF-8, or a parameter named `__proto__`, which the canonical
 *   form of the signing library would lose
 */
export function normalizeTarget(target: string, s3: boolean): NormalTarget | null {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const sentPath = path.replace(s3 ? /[^A-Za-z0-9\-._~/%]/g : /[^!-~]/g, encodeByte);
  // Slashes of a key are never encoded in what S3 signs.
  const signedPath = s3 ? sentPath.replaceAll('%2F', '/') : sentPath;
  if (mark < 0) return { target: sentPath, signedPath, query: NO_QUERY };

  const pairs = readPairs(target.slice(mark + 1));
  if (pairs === null) return null;
  const v2 = pairs.some(({ name }) => name === 'AWSAccessKeyId');
  const query: QueryParameters = Object.create(null) as QueryParameters;
  const pieces: string[] = [];
  for (const { name, value } of pairs) {
    if (PRESIGNED.test(name) || (v2 && PRESIGNED_V2.test(name))) continue;
    if (name === '__proto__') return null;
    pieces.push(value === null ? encodeText(name) : `${encodeText(name)}=${encodeText(value)}`);
    const known = query[name];
    if (known === undefined) query[name] = value ?? '';
    else if (typeof known === 'string') query[name] = [known, value ?? ''];
    else known.push(value ?? '');
  }
  return { target: pieces.length === 0 ? sentPath : `${sentPath}?${pieces.join('&')}`, signedPath, query };
}

/** Null where it is not UTF-8, percent-encoded. A parameter without an equals sign has the value null. */
function readPairs(query: string): { readonly name: string; readonly value: string | null }[] | null {
  if (/[^!-~]/.test(query)) return null;
  try {
    return query
      .split('&')
      .filter((piece) => piece !== '')
      .map((piece) => {
        const equals = piece.indexOf('=');
        return equals < 0
          ? { name: decodeText(piece), value: null }
          : { name: decodeText(piece.slice(0, equals)), value: decodeText(piece.slice(equals + 1)) };
      });
  } catch {
    return null;
  }
}

/** @throws URIError for what is not UTF-8, or a percent sign that encodes nothing */
function decodeText(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** RFC 3986 section 2.3: all but unreserved characters. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, encodeByte);
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
