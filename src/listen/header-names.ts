/** What the canonical stage does with a header, by its name alone. */
export const HeaderKind = {
  /** End-to-end: kept. */
  pass: 0,
  /** Hop-by-hop (RFC 9110 section 7.6.1), or a name with an underscore, which CGI-like servers read as a dash. */
  drop: 1,
  host: 2,
  authorization: 3,
  contentLength: 4,
  transferEncoding: 5,
  connection: 6,
  requestId: 7,
  te: 8,
  expect: 9,
} as const;

export interface HeaderName {
  readonly name: string;
  readonly kind: number;
}

const KINDS: ReadonlyMap<string, number> = new Map([
  ['host', HeaderKind.host],
  ['authorization', HeaderKind.authorization],
  ['content-length', HeaderKind.contentLength],
  ['transfer-encoding', HeaderKind.transferEncoding],
  ['connection', HeaderKind.connection],
  ['x-request-id', HeaderKind.requestId],
  ['te', HeaderKind.te],
  ['expect', HeaderKind.expect],
  ['upgrade', HeaderKind.drop],
  ['keep-alive', HeaderKind.drop],
  ['trailer', HeaderKind.drop],
  ['proxy-authenticate', HeaderKind.drop],
  ['proxy-authorization', HeaderKind.drop],
  ['proxy-connection', HeaderKind.drop],
  // CGI-like servers turn `Proxy` into the environment variable HTTP_PROXY (httpoxy, CVE-2016-5385).
  ['proxy', HeaderKind.drop],
  ['http2-settings', HeaderKind.drop],
]);

/** Spellings remembered at most. */
const REMEMBERED_NAMES = 512;

/**
 * Reads header names: lower case and kind. Spellings seen before are remembered, up to a bound, so that the usual
 * request costs one look-up a header.
 */
export function createHeaderNames(): (raw: string) => HeaderName {
  const remembered = new Map<string, HeaderName>();
  return (raw) => {
    const known = remembered.get(raw);
    if (known !== undefined) return known;
    const name = raw.toLowerCase();
    const kind = KINDS.get(name) ?? (name.includes('_') ? HeaderKind.drop : HeaderKind.pass);
    const read: HeaderName = { name, kind };
    // Starting anew, lest a client that invents names make this slow for all who come after it.
    if (remembered.size >= REMEMBERED_NAMES) remembered.clear();
    if (raw.length <= 64) remembered.set(raw, read);
    return read;
  };
}
