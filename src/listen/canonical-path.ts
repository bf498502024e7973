import { Irregularity } from '../core/inbound.ts';

/** A path in its one canonical spelling, or null when it must be refused. */
export interface CanonicalPath {
  readonly path: string;
  /** Bits of {@link Irregularity}. */
  readonly irregular: number;
}

const PLAIN = 1;
const ENCODE = 2;

const SLASH = 0x2f;
const PERCENT = 0x25;
/** Characters that a percent-encoded byte takes. */
const TRIPLET = 3;

const ENCODED = Array.from({ length: 256 }, (_, byte) => `%${hex(byte)}`);

/** RFC 3986 section 2.3. */
const UNRESERVED = codesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~');

/** A segment that is `.` or `..`, or may become one where dots and spaces are trimmed. */
export const DOT_SEGMENT = /\/(?:\.\.?|\.+%20(?:\.|%20)*|(?:%20)+\.(?:\.|%20)*)(?:\/|$)/;

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
  if (raw.charCodeAt(0) !== SLASH) return null;
  return isPlain(raw) ? { path: raw, irregular: 0 } : canonicalizeSlowly(raw);
}

/** Whether the path is its own canonical form: the usual case, decided in one pass without a copy. */
function isPlain(raw: string): boolean {
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code > 0xff || CLASSES[code] !== PLAIN) return false;
    // An empty segment, or one that begins with a dot and so may be a dot segment.
    if (previous === SLASH && (code === SLASH || code === 0x2e)) return false;
    previous = code;
  }
  return true;
}

function canonicalizeSlowly(raw: string): CanonicalPath | null {
  let path = '';
  let irregular = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === PERCENT) {
      const byte = hexByte(raw, i);
      if (byte < 0) return null;
      if (byte >= 0x80) {
        const end = endOfCharacter(raw, i, hexByte, TRIPLET);
        if (end < 0) return null;
        // The bytes stay encoded.
        for (; i < end; i += TRIPLET) path += ENCODED[hexByte(raw, i)];
        i -= 1;
      } else {
        const flag = encodedFlag(byte);
        if (flag < 0) return null;
        irregular |= flag;
        path += UNRESERVED.has(byte) ? String.fromCharCode(byte) : ENCODED[byte];
        i += TRIPLET - 1;
      }
    } else if (code === 0x3b) {
      irregular |= Irregularity.semicolon;
      path += ';';
    } else if (CLASSES[code] === PLAIN) {
      // A slash is never made by decoding, so two in a row stand so in the raw path.
      if (code === SLASH && raw.charCodeAt(i - 1) === SLASH) irregular |= Irregularity.emptySegment;
      path += raw[i];
    } else if (CLASSES[code] === ENCODE) {
      path += ENCODED[code];
    } else {
      const end = endOfCharacter(raw, i, rawByte, 1);
      if (end < 0) return null;
      for (; i < end; i++) path += ENCODED[raw.charCodeAt(i)];
      i -= 1;
    }
  }
  return DOT_SEGMENT.test(path) ? null : { path, irregular };
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

/** The byte of the percent triplet at this place; -1 when there is none. */
function hexByte(text: string, at: number): number {
  if (text.charCodeAt(at) !== PERCENT) return -1;
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function rawByte(text: string, at: number): number {
  return text.charCodeAt(at);
}

/**
 * Where the UTF-8 character that starts here ends: not overlong, no surrogate (RFC 3629 section 4), and no C1 control.
 * All its bytes are written in the same way.
 *
 * @param byteAt reads one byte, in whichever way they are written
 * @param step characters that one byte takes
 * @returns -1 when there is no such character
 */
function endOfCharacter(
  text: string,
  from: number,
  byteAt: (text: string, at: number) => number,
  step: number,
): number {
  const first = byteAt(text, from);
  const second = byteAt(text, from + step);
  let length: number;
  let lowest = 0x80;
  let highest = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
    if (first === 0xc2) lowest = 0xa0;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first === 0xe0) lowest = 0xa0;
    if (first === 0xed) highest = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first === 0xf0) lowest = 0x90;
    if (first === 0xf4) highest = 0x8f;
  } else {
    return -1;
  }
  if (!(second >= lowest && second <= highest)) return -1;
  for (let k = 2; k < length; k++) {
    const next = byteAt(text, from + k * step);
    if (!(next >= 0x80 && next <= 0xbf)) return -1;
  }
  return from + length * step;
}

function classifyCharacters(): Uint8Array {
  const classes = new Uint8Array(256);
  // pchar and slash of RFC 3986 section 3.3, without the percent sign and the semicolon.
  for (const code of UNRESERVED) classes[code] = PLAIN;
  for (const code of codesOf("!$&'()*+,=:@/")) classes[code] = PLAIN;
  // Not allowed raw, yet sent by some clients; their encoded form means the same.
  for (const code of codesOf('"<>[]^`{|}')) classes[code] = ENCODE;
  return classes;
}

function codesOf(characters: string): ReadonlySet<number> {
  return new Set(Array.from(characters, (character) => character.charCodeAt(0)));
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
