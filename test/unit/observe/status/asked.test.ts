import { describe, expect, it } from 'vitest';
import { readAsked } from '../../../../src/observe/status/asked.ts';

const asked = (value: object) => readAsked(JSON.stringify(value));

describe('a pasted request', () => {
  it.each([
    ['GET /posts', 'GET', '/posts'],
    ['  POST /posts HTTP/1.1 ', 'POST', '/posts'],
    ['delete /a/b?c=d e HTTP/2', 'delete', '/a/b?c=d e'],
    ['/posts', 'GET', '/posts'],
    ['https://api.example.com/posts', 'GET', 'https://api.example.com/posts'],
    ['PUT https://api.example.com/posts', 'PUT', 'https://api.example.com/posts'],
    ['posts', 'GET', 'posts'],
  ])('%s', (request, method, url) => {
    expect(asked({ request })).toEqual({ method, url, token: null, idToken: null });
  });

  it('with more white space than anybody types is read at once', () => {
    expect(asked({ request: `GET\n/a${' '.repeat(60_000)}b` })).toMatchObject({ method: 'GET', url: '/a b' });
  });
});

describe('a pasted token', () => {
  it.each([
    ['a.b.c', 'a.b.c'],
    ['Bearer a.b.c', 'a.b.c'],
    ['Authorization: bearer a.b.c\r\n', 'a.b.c'],
    ['a.b\n  .c\n', 'a.b.c'],
    ['  ', null],
    ['', null],
  ])('%j', (token, expected) => {
    expect(asked({ request: '/', token, idToken: token })).toMatchObject({
      token: expected,
      idToken: expected,
    });
  });
});
