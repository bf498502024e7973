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
  /** Meant for the next hop alone, which must be told so. */
  te: 6,
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

/** Names remembered at most. */
const REMEMBERED_NAMES = 512;

/** A name that is not passed on as it is. */
interface Fixed {
  readonly name: string;
  readonly fate: number;
}

/**
 * Decides the fate of headers by their names. Identity headers, tokens and what only proxies say go in every spelling
 * that some server reads as the same name: any character but letters and digits counts as a dash.
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
  const fixed = new Map<string, Fixed>();
  const fix = (name: string, fate: number): void => void fixed.set(foldName(name), { name, fate });
  for (const name of OVERRIDES) fix(name, Fate.drop);
  for (const name of ['forwarded', 'x-real-ip']) fix(name, Fate.forwarded);
  fix('te', Fate.te);
  for (const source of tokenSources) {
    if (source === 'authorization') fix('authorization', Fate.token);
    else if (source === 'websocketProtocol') fix('sec-websocket-protocol', Fate.webSocketProtocol);
    else if ('header' in source) fix(source.header, Fate.token);
    else if ('cookie' in source) fix('cookie', Fate.cookie);
  }

  const judge = (name: string): number => {
    const folded = foldName(name);
    if (folded.startsWith(prefix) || ours.has(folded)) return Fate.drop;
    const known = fixed.get(folded);
    // In an odd spelling, none of these is what it seems to be.
    if (known !== undefined) return known.name === name ? known.fate : Fate.drop;
    if (!folded.startsWith('x-forwarded-')) return Fate.pass;
    return folded === name ? Fate.forwarded : Fate.drop;
  };
  const remembered = new Map<string, number>();
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const fate = judge(name);
    // Starting anew, lest a client that invents names make this slow for all who come after it.
    if (remembered.size >= REMEMBERED_NAMES) remembered.clear();
    if (name.length <= 64) remembered.set(name, fate);
    return fate;
  };
}

function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}
