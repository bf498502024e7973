import { describe, expect, it } from 'vitest';
import {
  compileCors,
  corsHeaders,
  isAllowedOrigin,
  preflightHeaders,
  preflightMethod,
} from '../../../src/authorize/cors.ts';
import { cors } from '../../../src/config/schema/routes.ts';
import { inbound } from '../../support/inbound.ts';

const APP = 'https://app.example.com';

function policy(written: object) {
  const compiled = compileCors(cors.parse(written));
  if (compiled === null || compiled === 'upstream') throw new Error('no policy of our own');
  return compiled;
}

describe('compileCors', () => {
  it('makes the values of headers once', () => {
    const written = {
      origins: [APP, 'https://Other.example.com'],
      methods: ['GET', 'PUT'],
      headers: ['Authorization', 'Content-Type'],
      exposeHeaders: ['X-Request-Id'],
      credentials: true,
      maxAge: '90s',
    };
    expect(policy(written)).toEqual({
      anyOrigin: false,
      origins: new Set([APP, 'https://other.example.com']),
      credentials: true,
      methods: 'GET, PUT',
      headers: 'authorization, content-type',
      exposeHeaders: 'x-request-id',
      maxAge: '90',
    });
  });

  it('leaves the two others as they are', () => {
    expect(compileCors(null)).toBeNull();
    expect(compileCors('upstream')).toBe('upstream');
  });
});

describe('a preflight', () => {
  const preflight = ['origin', APP, 'access-control-request-method', 'PUT'];

  it.each<readonly [string, string, readonly string[], number, string | undefined]>([
    ['OPTIONS with both headers', 'OPTIONS', preflight, 0, 'PUT'],
    ['OPTIONS without Origin', 'OPTIONS', preflight.slice(2), 0, undefined],
    ['OPTIONS without the method it asks about', 'OPTIONS', preflight.slice(0, 2), 0, undefined],
    ['OPTIONS with a body', 'OPTIONS', preflight, 1, undefined],
    ['OPTIONS with a body of unknown length', 'OPTIONS', preflight, -1, undefined],
    ['GET with both headers', 'GET', preflight, 0, undefined],
    ['POST with both headers', 'POST', preflight, 0, undefined],
  ])('is %s: %#', (_, method, headers, contentLength, expected) => {
    expect(preflightMethod(inbound({ method, headers: [...headers], contentLength }))).toBe(expected);
  });
});

describe('the headers', () => {
  it.each<readonly [string, object, string | undefined, readonly string[], readonly string[]]>([
    [
      'for an allowed origin',
      { origins: [APP] },
      APP,
      ['vary', 'Origin', 'access-control-allow-origin', APP],
      ['access-control-allow-methods', 'GET, HEAD, POST', 'access-control-max-age', '300'],
    ],
    [
      'for an allowed origin in another case, which gets its own spelling back',
      { origins: [APP] },
      'https://APP.example.com',
      ['vary', 'Origin', 'access-control-allow-origin', 'https://APP.example.com'],
      ['access-control-allow-methods', 'GET, HEAD, POST', 'access-control-max-age', '300'],
    ],
    ['for another origin', { origins: [APP] }, 'https://evil.test', ['vary', 'Origin'], []],
    ['for a longer origin', { origins: [APP] }, `${APP}.evil.test`, ['vary', 'Origin'], []],
    ['for an origin of null', { origins: [APP] }, 'null', ['vary', 'Origin'], []],
    ['without an origin', { origins: [APP] }, undefined, ['vary', 'Origin'], []],
    [
      'with credentials, requested and readable headers',
      { origins: [APP], credentials: true, headers: ['x-a', 'x-b'], exposeHeaders: ['x-c'] },
      APP,
      [
        ...['vary', 'Origin', 'access-control-allow-origin', APP],
        ...['access-control-allow-credentials', 'true', 'access-control-expose-headers', 'x-c'],
      ],
      [
        ...['access-control-allow-methods', 'GET, HEAD, POST'],
        ...['access-control-allow-headers', 'x-a, x-b', 'access-control-max-age', '300'],
      ],
    ],
    [
      'for any origin, the same for all',
      { origins: ['*'] },
      'https://anyone.test',
      ['access-control-allow-origin', '*'],
      ['access-control-allow-methods', 'GET, HEAD, POST', 'access-control-max-age', '300'],
    ],
    ['for any origin, without one', { origins: ['*'] }, undefined, [], []],
  ])('%s', (_, written, origin, everywhere, onPreflights) => {
    expect(corsHeaders(policy(written), origin)).toEqual(everywhere);
    expect(preflightHeaders(policy(written), origin)).toEqual(onPreflights);
  });
});

it.each([
  [APP, true],
  [APP.toUpperCase(), true],
  ['http://app.example.com', false],
  [`${APP}:443`, false],
  [`${APP}/`, false],
  ['app.example.com', false],
  ['', false],
])('the origin "%s" is allowed: %s', (origin, expected) => {
  expect(isAllowedOrigin(policy({ origins: [APP] }), origin)).toBe(expected);
  expect(isAllowedOrigin(policy({ origins: ['*'] }), origin)).toBe(true);
});
