/**
 * How servers, frameworks and file systems read a path that they are sent. Each of these is done by some; together they
 * are what an upstream may be made of.
 */
const READERS: Readonly<Record<string, (path: string) => string>> = {
  mergeSlashes: (path) => path.replace(/\/{2,}/g, '/'),
  resolveDots,
  backslashToSlash: (path) => path.replaceAll('\\', '/'),
  stripParameters: (path) => path.replace(/;[^/]*/g, ''),
  cutAtParameters: (path) => path.replace(/;.*$/s, ''),
  cutAtQuery: (path) => path.replace(/\?.*$/s, ''),
  cutAtFragment: (path) => path.replace(/#.*$/s, ''),
  cutAtNul: (path) => path.replace(/\0.*$/s, ''),
  lowerCase: (path) => path.toUpperCase().toLowerCase(),
  trimDots: (path) =>
    path
      .split('/')
      .map((segment) => (segment === '.' || segment === '..' ? segment : segment.replace(/[. ]+$/, '')))
      .join('/'),
  trimSpaces: (path) =>
    path
      .split('/')
      .map((segment) => segment.replace(/ +$/, ''))
      .join('/'),
  trimSlash: (path) => path.replace(/(.)\/+$/, '$1'),
};

/** Decoders differ in what they make of bytes that are not UTF-8. */
const DECODERS = [decodeUtf8, decodeLatin1, decodeOverlong];

/** Decodings that a chain of servers may do between them. */
const MOST_DECODINGS = 2;

/** Every reading of a path that the readers make, in any order and any number of times, decoding at most twice. */
export function readingsOf(path: string): Set<string> {
  const seen = new Set<string>();
  const queue: [path: string, decodings: number][] = [[path, 0], ...withoutHost(path)];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [reading, decodings] = next;
    const key = `${decodings} ${reading}`;
    if (seen.has(key)) continue;
    seen.add(key);
    for (const read of Object.values(READERS)) queue.push([read(reading), decodings]);
    if (decodings < MOST_DECODINGS && reading.includes('%')) {
      for (const decode of DECODERS) queue.push([decode(reading), decodings + 1]);
    }
  }
  return new Set([...seen].map((key) => key.slice(2)));
}

/** Whether this reading is the page at the prefix or one below it. */
export function isUnder(reading: string, prefix: string): boolean {
  return reading === prefix || reading.startsWith(`${prefix}/`);
}

/** Whether this reading is a page below the prefix. */
export function isBelow(reading: string, prefix: string): boolean {
  return reading.startsWith(`${prefix}/`) && /[^/]/.test(reading.slice(prefix.length));
}

/**
 * As those read it who take what they are sent for a reference, in which a host follows two slashes (RFC 3986 section 4.2): before they
 * do anything else to it, though others may have decoded it.
 */
function withoutHost(path: string, decodings = 0): [path: string, decodings: number][] {
  const cut: [string, number] = [path.replace(/^\/{2,}[^/]*/, ''), decodings];
  if (decodings === MOST_DECODINGS || !path.includes('%')) return [cut];
  return [cut, ...DECODERS.flatMap((decode) => withoutHost(decode(path), decodings + 1))];
}

/** RFC 3986 section 5.2.4. */
function resolveDots(path: string): string {
  const resolved: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, i) => {
    const isLast = i === segments.length - 1;
    if (segment === '..') {
      if (resolved.length > 1) resolved.pop();
      if (isLast) resolved.push('');
    } else if (segment === '.') {
      if (isLast) resolved.push('');
    } else {
      resolved.push(segment);
    }
  });
  return resolved.join('/');
}

function decodeUtf8(path: string): string {
  return path.replace(/(%[0-9a-f]{2})+/gi, (triplets) => bytesOf(triplets).toString('utf8'));
}

function decodeLatin1(path: string): string {
  return path.replace(/(%[0-9a-f]{2})+/gi, (triplets) => bytesOf(triplets).toString('latin1'));
}

/** As decoders did before RFC 3629 forbade it, and with the %uXXXX of old browsers. */
function decodeOverlong(path: string): string {
  const withCodes = path.replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const plain = withCodes
    .replace(/%e0%([89ab][0-9a-f])%([89ab][0-9a-f])/gi, (_, second: string, last: string) =>
      String.fromCharCode(((Number.parseInt(second, 16) & 0x3f) << 6) | (Number.parseInt(last, 16) & 0x3f)),
    )
    .replace(/%(c[01])%([89ab][0-9a-f])/gi, (_, first: string, last: string) =>
      String.fromCharCode(((Number.parseInt(first, 16) & 0x1f) << 6) | (Number.parseInt(last, 16) & 0x3f)),
    );
  return decodeUtf8(plain);
}

function bytesOf(triplets: string): Buffer {
  return Buffer.from(triplets.replaceAll('%', ''), 'hex');
}
