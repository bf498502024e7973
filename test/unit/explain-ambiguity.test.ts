import { describe, expect, it } from 'vitest';
import { explainRequest } from '../../src/explain.ts';
import { canonicalizePath } from '../../src/listen/canonical-path.ts';
import { configOf } from '../support/config-text.ts';

const config = configOf(`
  routes:
    - { id: files, match: { path: "/files/{path+}", permit: ["%2F", "//"] }, allow: public, upstream: board }
    - { id: secret, match: { path: /files/secret }, allow: authenticated, upstream: board }
    - { id: read, match: { path: /posts, methods: [GET] }, allow: public, upstream: board }
    - { id: write, match: { path: /posts, methods: [PUT, POST] }, allow: public, upstream: board }
`);

/** The code, and what is said beside it. */
function explained(url: string, method = 'GET'): unknown {
  const { refusal } = explainRequest(config, { method, url, token: null, idToken: null, now: 0 });
  return refusal === null ? null : [refusal.code, refusal.detail];
}

describe('explain says what is ambiguous', () => {
  it.each([
    ['/posts/../x', 'because of a segment of dots'],
    ['/posts/.%2e/x', 'because of a segment of dots'],
    ['/posts/%2E', 'because of a segment of dots'],
    ['/posts/..  /x', 'because of a segment of dots'],
    ['/posts\\x', 'because of a backslash'],
    ['/posts%5cx', 'because of a backslash'],
    ['/posts#x', 'because of a "#" that is not encoded'],
    ['/100%', 'because of a "%" without two hexadecimal digits'],
    ['/%zz', 'because of a "%" without two hexadecimal digits'],
    ['/a%00b', 'because of a control character'],
    ['/a%7Fb', 'because of a control character'],
    ['/a%C2%85b', 'because of a control character'],
    ['/a%ffb', 'because of bytes that are not UTF-8'],
    ['/a%c0%afb', 'because of bytes that are not UTF-8'],
    ['/..\\%0a%', 'because of a backslash, a "%" without two hexadecimal digits and a control character'],
    ['/../a\\', 'because of a backslash and a segment of dots'],
  ])('before a route is looked for: %s', (url, detail) => {
    expect(explained(url)).toEqual(['REQUEST_PATH_AMBIGUOUS', detail]);
    expect(canonicalizePath(url.replaceAll(' ', '%20'))).toBeNull();
  });

  it.each([
    ['//posts', '"//"'],
    ['/po%2fsts', '"%2F"'],
    ['/nowhere/%2Fa%25b%23c%3Fd;e//f', '"%2F", "%25", "%23", "%3F", ";" and "//"'],
    ['/files/a%2Fb;c', '";"'],
  ])('what no route for it permits: %s', (url, spellings) => {
    const detail = `because of ${spellings}: match.permit of a route may let that through`;
    expect(explained(url)).toEqual(['REQUEST_PATH_AMBIGUOUS', detail]);
  });

  it.each(['/files/secret/', '/files/SECRET', '/files//secret'])(
    'what is another path to some: %s',
    (url) => {
      const detail = 'because it could be read as a path of a route that is stricter';
      expect(explained(url)).toEqual(['REQUEST_PATH_AMBIGUOUS', detail]);
    },
  );

  it.each(['/files/a%2Fb', '/files/a//b', '/files/a.b'])('and nothing where a route takes it: %s', (url) => {
    expect(explained(url)).toBeNull();
  });
});

describe('explain says which methods there are', () => {
  it.each<[method: string, outcome: unknown]>([
    ['DELETE', ['ROUTE_METHOD_NOT_ALLOWED', 'because it allows GET, HEAD, POST, PUT']],
    ['delete', ['REQUEST_MALFORMED', 'because "delete" is no method: they are known by name, in upper case']],
    ['FOO', ['REQUEST_MALFORMED', 'because "FOO" is no method: they are known by name, in upper case']],
    ['CONNECT', ['REQUEST_METHOD_UNSUPPORTED', null]],
    ['HEAD', null],
  ])('%s', (method, outcome) => {
    expect(explained('/posts', method)).toEqual(outcome);
  });
});
