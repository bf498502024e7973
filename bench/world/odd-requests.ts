import { METHODS } from 'node:http';

/** One request of a flood in which nothing repeats but the tokens. */
export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** CONNECT opens a tunnel and QUERY is not in every client yet. */
const ODD_METHODS = METHODS.filter((method) => method !== 'CONNECT' && method !== 'QUERY');

/**
 * The request of this number: a path, a query, a host, a header name and a request id of its own, and one of the tokens.
 * Now and then the method is odd, the path has no route, the token is missing, mangled, or signed with an invented key.
 */
export function makeOddRequest(number: number, tokens: readonly string[]): OddRequest {
  const token = tokens[number % tokens.length] ?? '';
  const headers: Record<string, string> = {
    host: `host-${number}.example.com`,
    'x-request-id': `flood-${number}`,
    [`x-odd-${number}`]: 'once',
  };
  if (number % 23 !== 0) headers['authorization'] = `Bearer ${disfigure(token, number)}`;
  return {
    method: number % 11 === 0 ? (ODD_METHODS[number % ODD_METHODS.length] ?? 'GET') : 'GET',
    path: `${number % 17 === 0 ? '/nowhere' : '/things'}/${number}?q=${number}`,
    headers,
  };
}

function disfigure(token: string, number: number): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (number % 29 === 0) return `${header}.${payload}.${[...signature].reverse().join('')}`;
  if (number % 31 !== 0) return token;
  const invented = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), kid: `invented-${number}` };
  return `${Buffer.from(JSON.stringify(invented)).toString('base64url')}.${payload}.${signature}`;
}
