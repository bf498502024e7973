import { REQUIREMENTS } from '../world/routes.ts';
import type { Mint } from '../world/tokens.ts';

/** A request that every contender must answer alike, before its speed counts. */
interface Question {
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string | null;
  readonly status: number;
}

const READ = '/service-0/items/1';

/**
 * Asks a contender what all must agree on: a contender that checks less would win by it.
 * @throws when an answer's status is not the one expected
 */
export async function examine(name: string, port: number, mint: Mint): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const [forgery = ''] = await mint.forgeries(2);
  const { read, write } = REQUIREMENTS;
  const get = (what: string, token: string | null, status: number): Question => ({
    what,
    method: 'GET',
    path: READ,
    token,
    status,
  });
  const questions: readonly Question[] = [
    get('a good token', mint.token(), 200),
    { what: 'a good token on POST', method: 'POST', path: READ, token: mint.token(), status: 200 },
    { what: 'a public route', method: 'GET', path: '/public/1', token: null, status: 200 },
    { what: 'no route', method: 'GET', path: '/nowhere/1', token: mint.token(), status: 404 },
    get('no token', null, 401),
    get('a wrong signature', forgery, 401),
    get('an expired token', mint.token({ exp: now - 60 }), 401),
    get('another issuer', mint.token({ iss: 'https://issuer.example.com/pool' }), 401),
    get('the group missing', mint.token({ 'cognito:groups': [write.group] }), 403),
    get('no groups', mint.token({ 'cognito:groups': undefined }), 403),
    get('the scope missing', mint.token({ scope: write.scope }), 403),
    {
      what: 'the scope of another method',
      method: 'POST',
      path: READ,
      token: mint.token({ scope: read.scope }),
      status: 403,
    },
  ];
  for (const { what, method, path, token, status } of questions) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(method === 'POST' ? { body: 'x' } : {}),
    });
    await response.body?.cancel();
    if (response.status !== status) {
      throw new Error(`${name} answers ${what} with ${response.status}, expected ${status}`);
    }
  }
}
