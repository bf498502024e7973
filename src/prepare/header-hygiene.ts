import type { TokenSource } from '../config/schema/server.ts';

/** What becomes of a client's end-to-end header on its way to the upstream. */
export const Fate = {
  pass: 0,
  drop: 1,
  /** The caller's token, unless the route forwards it. */
  token: 2,
  /** Believed from trusted peers only. */
  forwarded: 3,
  cookie: 4,
  webSocketProtocol: 5,
} as const;

/** Headers that make software behind us see another path or method than the one that was judged. */
const OVERRIDES = [
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
];

const REMEMBERED_NAMES = 512;

/**
 * Decides the fate of headers by their names. Identity headers, and those of tokens for us alone, go in every spelling that some server reads as the same
 * name: any character but letters and digits counts as a dash.
 *
 * @param identityPrefix in lower case
 * @param identityNames further names that no upstream gets from a client
 */
export function createHeaderFates(
  identityPrefix: string,
  identityNames: readonly string[],
  tokenSources: readonly TokenSource[],
): (name: string) => number {
  const prefix = foldName(identityPrefix);
  const ours = new Set(identityNames.map(foldName));
  const fixed = new Map<string, number>();
  for (const name of OVERRIDES) fixed.set(name, Fate.drop);
  for (const name of ['forwarded', 'x-real-ip']) fixed.set(name, Fate.forwarded);
  for (const source of tokenSources) {
    if (source === 'authorization') fixed.set('authorization', Fate.token);
    else if (source === 'websocketProtocol') fixed.set('sec-websocket-protocol', Fate.webSocketProtocol);
    else if ('header' in source) fixed.set(source.header, Fate.token);
    else if ('cookie' in source) fixed.set('cookie', Fate.cookie);
  }

  const judge = (name: string): number => {
    const folded = foldName(name);
    if (folded.startsWith(prefix) || ours.has(folded)) return Fate.drop;
    return fixed.get(name) ?? (name.startsWith('x-forwarded-') ? Fate.forwarded : Fate.pass);
  };
  const remembered = new Map<string, number>();
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const fate = judge(name);
    if (remembered.size < REMEMBERED_NAMES && name.length <= 64) remembered.set(name, fate);
    return fate;
  };
}

function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}
