import { Irregularity } from '../core/inbound.ts';

/** A path in its one canonical spelling, or null when it must be refused. */
export interface CanonicalPath {
  readonly path: string;
  /** Bits of {@link Irregularity}. */
  readonly irregular: number;
}

const PLAIN = 1;
const ENCODE = 2;

/** What to do with each latin-1 character of a raw path; 0 needs a closer look or is refused. */
const CLASSES = classifyCharacters();

/**
 * Makes the canonical path: unreserved characters decoded, hex digits in upper case (RFC 3986 section 6.2.2), all else
 * left as sent. The origin form's path is expected, without the query.
 *
 * Refused whatever the configuration says, because upstreams differ in how they read them: dot segments raw or encoded,
 * backslashes, NUL and other controls, malformed percent triplets, invalid UTF-8, raw `#`. Spellings that a route may
 * permit by name are reported in `irregular`.
 *
 * @param raw the path as received; one latin-1 character per byte
 * @returns null when the path is to be refused
 */
export function canonicalizePath(raw: string): CanonicalPath | null {
  if (raw.charCodeAt(0) !== 0x2f) return null;
  return isPlain(raw) ? { path: raw, irregular: 0 } : canonicalizeSlowly(raw);
}

/** Whether the path is its own canonical form: the usual case, decided in one pass without a copy. */
export function isPlain(raw: string): boolean {
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code > 0xff || CLASSES[code] !== PLAIN) return false;
    // An empty segment, or one that begins with a dot and so may be a dot segment.
    if (previous === 0x2f && (code === 0x2f || code === 0x2e)) return false;
    previous = code;
  }
  return true;
}

function canonicalizeSlowly(raw: string): CanonicalPath | null {
  let path = '';
  let irregular = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === 0x25) {
      const byte = hexByte(raw, i + 1);
      if (byte < 0) return null;
      i += 2;
      if (byte >= 0x80) {
        // One whole UTF-8 sequence at a time; the bytes stay encoded.
        const length = utf8Length(byte);
        const sequence = [byte];
        while (sequence.length < length) {
          const next = raw.charCodeAt(i + 1) === 0x25 ? hexByte(raw, i + 2) : -1;
          if (next < 0) return null;
          sequence.push(next);
          i += 3;
        }
        if (length === 0 || !isUtf8Character(sequence)) return null;
        path += sequence.map(encodeByte).join('');
      } else {
        const flag = encodedFlag(byte);
        if (flag < 0) return null;
        irregular |= flag;
        path += isUnreserved(byte) ? String.fromCharCode(byte) : encodeByte(byte);
      }
    } else if (code === 0x3b) {
      irregular |= Irregularity.semicolon;
      path += ';';
    } else if (CLASSES[code] === PLAIN) {
      if (code === 0x2f && path.endsWith('/')) irregular |= Irregularity.emptySegment;
      path += raw[i];
    } else if (CLASSES[code] === ENCODE) {
      path += encodeByte(code);
    } else if (code >= 0x80 && code <= 0xff) {
      const length = utf8Length(code);
      const sequence = Array.from({ length }, (_, k) => raw.charCodeAt(i + k));
      if (length === 0 || !isUtf8Character(sequence)) return null;
      i += length - 1;
      path += sequence.map(encodeByte).join('');
    } else {
      return null;
    }
  }
  return hasDotSegment(path) ? null : { path, irregular };
}

/** Whether a segment is `.` or `..`. */
export function hasDotSegment(path: string): boolean {
  return /(^|\/)\.\.?(\/|$)/.test(path);
}

/** The irregularity an encoded ASCII character stands for; -1 when it is never let through. */
function encodedFlag(byte: number): number {
  switch (byte) {
    case 0x2f:
      return Irregularity.encodedSlash;
    case 0x25:
      return Irregularity.encodedPercent;
    case 0x23:
      return Irregularity.encodedHash;
    case 0x3f:
      return Irregularity.encodedQuestionMark;
    case 0x3b:
      return Irregularity.semicolon;
    case 0x5c:
    case 0x7f:
      return -1;
    default:
      return byte < 0x20 ? -1 : 0;
  }
}

function hexByte(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function encodeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** RFC 3986 section 2.3. */
function isUnreserved(code: number): boolean {
  return /[A-Za-z0-9._~-]/.test(String.fromCharCode(code));
}

/** Bytes in the UTF-8 sequence that starts with this one; 0 when none does. */
function utf8Length(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/** Whether these bytes are one UTF-8 character, not overlong, no surrogate (RFC 3629), and no C1 control. */
function isUtf8Character(bytes: readonly number[]): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    return (text.codePointAt(0) ?? 0) >= 0xa0;
  } catch {
    return false;
  }
}

function classifyCharacters(): Uint8Array {
  const classes = new Uint8Array(256);
  // pchar and slash of RFC 3986 section 3.3, without the percent sign and the semicolon.
  for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/") {
    classes[character.charCodeAt(0)] = PLAIN;
  }
  // Not allowed raw, yet sent by some clients; their encoded form means the same.
  for (const character of '"<>[]^`{|}') classes[character.charCodeAt(0)] = ENCODE;
  return classes;
}
