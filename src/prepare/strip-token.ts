import type { TokenSource } from '../config/schema/server.ts';

/** Takes the token out of where it shares a place with other things. */
export interface TokenStripper {
  /** @returns the Cookie header without the token's cookies; empty when nothing is left */
  cookie(value: string): string;
  /** @returns the query without the token's parameters; null when nothing is left */
  query(query: string | null): string | null;
  /** @returns the offered WebSocket subprotocols without `bearer` and the token; empty when nothing is left */
  webSocketProtocol(value: string): string;
}

export function createTokenStripper(sources: readonly TokenSource[]): TokenStripper {
  const cookies = new Set(
    sources.flatMap((source) => (typeof source === 'object' && 'cookie' in source ? [source.cookie] : [])),
  );
  const parameters = new Set(
    sources.flatMap((source) => (typeof source === 'object' && 'query' in source ? [source.query] : [])),
  );
  return {
    cookie: (value) =>
      value
        .split(';')
        .filter((pair) => !cookies.has((pair.split('=', 1)[0] ?? '').trim()))
        .join(';')
        .trim(),
    query(query) {
      if (query === null || parameters.size === 0) return query;
      const kept = query.split('&').filter((pair) => !parameters.has(parameterName(pair)));
      return kept.length === 0 ? null : kept.join('&');
    },
    webSocketProtocol(value) {
      const items = value.split(',').map((item) => item.trim());
      // Every pair: where no token is looked at, nobody has refused the second one.
      return items.filter((item, i) => item !== 'bearer' && items[i - 1] !== 'bearer').join(', ');
    },
  };
}

/** The name as form decoding reads it, which is how the token was looked for. */
function parameterName(pair: string): string {
  return [...new URLSearchParams(pair).keys()][0] ?? '';
}
