import { isUtf8 } from 'node:buffer';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * Reads a JSON object that all software reads alike: valid UTF-8 without a byte order mark, and no name twice in one
 * object, since parsers differ in which of the two they believe (RFC 8259 section 4; RFC 7515 section 4 and RFC 7519
 * section 4 let us refuse it).
 *
 * Safe on input that nobody has vouched for: no recursion, time in proportion to the length.
 *
 * @returns null when it is anything else
 */
export function readJsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | null {
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  // A name that occurs twice is written twice and kept once.
  return countNames(text) === countMembers(value) ? (value as Record<string, unknown>) : null;
}

/** @param text valid JSON, in which a string that a colon follows is the name of a member */
function countNames(text: string): number {
  let names = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let at = start + 1;
    while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    do at += 1;
    while (text.charCodeAt(at) <= SPACE);
    if (text.charCodeAt(at) === COLON) names += 1;
    start = text.indexOf('"', at);
  }
  return names;
}

function countMembers(root: object): number {
  const pending: object[] = [root];
  let members = 0;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const values: unknown[] = Array.isArray(node) ? node : Object.values(node);
    if (!Array.isArray(node)) members += values.length;
    for (const value of values) if (typeof value === 'object' && value !== null) pending.push(value);
  }
  return members;
}
