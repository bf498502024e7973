/** A request as people paste it. */
export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly token: string | null;
  readonly idToken: string | null;
}

/**
 * Reads what the form sends: `{"request": "GET /posts", "token": "...", "idToken": "..."}`; the tokens may be left out or empty.
 * @returns null when it is something else
 */
export function readAsked(text: unknown): AskedRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(String(text));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { request, token = '', idToken = '' } = value as Record<string, unknown>;
  if (typeof request !== 'string' || typeof token !== 'string' || typeof idToken !== 'string') return null;
  // The line of a request, as a log or curl shows it: the method may be left out, the version is of no interest.
  // White space is made single first: looked through again from each place in a long run of it, it would take seconds.
  const line = request.trim().replace(/\s+/g, ' ');
  const [, method = 'GET', url = ''] =
    /^(?:([A-Za-z][A-Za-z-]*) )?(.*?)(?: HTTP\/\d(?:\.\d)?)?$/.exec(line) ?? [];
  return url === '' ? null : { method, url, token: readToken(token), idToken: readToken(idToken) };
}

/** As it is pasted out of a header or a terminal, which may have broken it into lines. */
function readToken(text: string): string | null {
  const token = text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '')
    .replace(/\s+/g, '');
  return token === '' ? null : token;
}
