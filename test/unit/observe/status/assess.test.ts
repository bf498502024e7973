import { describe, expect, it } from 'vitest';
import { assess } from '../../../../src/observe/status/assess.ts';
import { IN_IMAGE } from '../../../../src/observe/status/image-command.ts';
import type { View } from '../../../../src/observe/status/view.ts';
import { configOf, NIGHT, readingOf, viewOf } from '../../../support/status-view.ts';

const decided = (route: string, decision: string, code: string, count: number): string =>
  `cognito_auth_proxy_decisions_total{route="${route}",decision="${decision}",code="${code}"} ${count}`;
const answered = (upstream: string, status: number, count: number): string =>
  `cognito_auth_proxy_upstream_duration_seconds_count{upstream="${upstream}",status="${status}"} ${count}`;
const credentials = (result: string, count: number): string =>
  `cognito_auth_proxy_credentials_total{pool="own/s3",result="${result}"} ${count}`;

const found = (exposition: readonly string[], more: Partial<View> = {}) =>
  assess(viewOf(exposition, more)).map(({ level, what }) => `${level}: ${what}`);

describe('what is at fault', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['nothing', [decided('orders', 'allow', 'ok', 100), answered('orders', 200, 100)], []],
    [
      'an upstream that answers 5xx, by its most frequent one',
      [answered('orders', 200, 64), answered('orders', 502, 31), answered('orders', 500, 5)],
      ['fault: Upstream orders: 31 % of its answers are 502'],
    ],
    ['not single failures among many', [answered('orders', 200, 96), answered('orders', 502, 4)], []],
    ['not a single failure', [answered('orders', 500, 1)], []],
    [
      'an upstream that does not answer',
      [decided('orders', 'fault', 'UPSTREAM_CONNECT_FAILED', 3), answered('orders', 200, 1)],
      ['fault: Upstream orders: 75 % of requests end in 502 UPSTREAM_CONNECT_FAILED'],
    ],
    [
      'an upstream that has more than it can take',
      [decided('reports', 'fault', 'LIMIT_UPSTREAM', 10), answered('reports', 200, 90)],
      ['fault: Upstream reports: 10 % of requests end in 503 LIMIT_UPSTREAM'],
    ],
    [
      'an address of several',
      ['cognito_auth_proxy_upstream_failing_addresses{upstream="reports"} 1'],
      ['warning: Upstream reports: 1 of 3 addresses do not answer'],
    ],
    [
      'all addresses, though nobody has asked in the last minute',
      ['cognito_auth_proxy_upstream_failing_addresses{upstream="orders"} 1'],
      ['fault: Upstream orders: does not answer'],
    ],
    [
      'an upstream before a rule',
      [
        decided('orders', 'deny', 'AUTHZ_GROUP_REQUIRED', 50),
        answered('reports', 500, 2),
        decided('reports', 'allow', 'ok', 2),
      ],
      [
        'fault: Upstream reports: 100 % of its answers are 500',
        'warning: Route orders refuses 100 % of its requests: AUTHZ_GROUP_REQUIRED',
      ],
    ],
    [
      'keys that cannot be fetched',
      ['cognito_auth_proxy_jwks_fetch_total{pool="main",result="failure"} 1'],
      [
        'warning: Cognito: the keys of user pool main cannot be fetched, those in use are 60 s old, and they work until they are 24 h old',
      ],
    ],
    [
      'keys that cannot be fetched while the pool has new ones',
      [
        'cognito_auth_proxy_jwks_fetch_total{pool="main",result="failure"} 1',
        decided('orders', 'fault', 'AUTHN_KEYS_UNAVAILABLE', 12),
      ],
      [
        'fault: Cognito: the keys of user pool main cannot be fetched, those in use are 60 s old, and 12 requests signed with others got 503 AUTHN_KEYS_UNAVAILABLE',
      ],
    ],
    [
      'not an issuer that the pool does not use',
      ['cognito_auth_proxy_jwks_fetch_total{pool="main",result="absent"} 1'],
      [],
    ],
    [
      'credentials',
      [credentials('cached', 80), credentials('throttled', 20)],
      ['fault: Own credentials for s3: 20 % of the times credentials are throttled'],
    ],
    [
      'callers whom the identity pool refuses',
      [credentials('cached', 8), credentials('denied', 2)],
      ['warning: Own credentials for s3: 20 % of the times credentials are denied'],
    ],
    [
      'the proxy',
      [decided('orders', 'fault', 'INTERNAL_ERROR', 1)],
      ['fault: The proxy failed at 1 request: INTERNAL_ERROR'],
    ],
    [
      'its limits',
      [decided('none', 'deny', 'LIMIT_CONNECTIONS', 1200)],
      ['fault: The proxy turns away what is beyond its limits: 1,200 times LIMIT_CONNECTIONS'],
    ],
    [
      'the store of rate limits, where routes stay open without it',
      ['cognito_auth_proxy_rate_limit_store_total{result="failure"} 2'],
      ['warning: The store of rate limits did not answer 2 questions'],
    ],
    [
      'the store of rate limits, where they do not',
      [
        'cognito_auth_proxy_rate_limit_store_total{result="failure"} 2',
        decided('orders', 'fault', 'LIMIT_RATE_UNKNOWN', 2),
      ],
      ['fault: The store of rate limits did not answer 2 questions'],
    ],
    [
      'a configuration that is refused',
      ['cognito_auth_proxy_config_last_reload_successful 0'],
      ['warning: The configuration that was read last is refused; the one before it stays in force'],
    ],
    [
      'a rule, or the groups in Cognito',
      [decided('orders', 'deny', 'AUTHZ_GROUP_REQUIRED', 6), decided('orders', 'allow', 'ok', 4)],
      ['warning: Route orders refuses 60 % of its requests: AUTHZ_GROUP_REQUIRED'],
    ],
    ['not a rule that few have met', [decided('orders', 'deny', 'AUTHZ_GROUP_REQUIRED', 9)], []],
    [
      'not callers without tokens, of whom there are many everywhere',
      [decided('orders', 'deny', 'AUTHN_TOKEN_MISSING', 50)],
      [],
    ],
    ['not who asks for what is not there', [decided('none', 'deny', 'ROUTE_NOT_FOUND', 900)], []],
  ])('is %s', (_name, exposition, expected) => {
    expect(found(exposition)).toEqual(expected);
  });

  it('is Cognito, or the way to it, while there are no keys', () => {
    const now = readingOf(['cognito_auth_proxy_jwks_fetch_total{pool="main",result="failure"} 3']);
    expect(found([], { now, phase: 'starting' })).toEqual([
      'fault: Cognito: no keys of user pool main, so that protected routes answer 503 AUTHN_KEYS_UNAVAILABLE',
    ]);
    expect(found([], { now: readingOf([]), phase: 'starting' })).toEqual([
      'warning: Cognito: waiting for the keys of user pool main',
    ]);
  });

  it('is Cognito when its keys are older than two fetches', () => {
    const aged = (seconds: number) =>
      readingOf([`cognito_auth_proxy_jwks_age_seconds{pool="main"} ${seconds}`]);
    expect(found([], { now: aged(7_200) })).toEqual([]);
    expect(found([], { now: aged(10_800) })).toEqual([
      'warning: Cognito: the keys of user pool main are 3 h old, and they work until they are 24 h old',
    ]);
  });

  it('is the proxy when it is late, or told to stop', () => {
    expect(found([], { lateness: 99 })).toEqual([]);
    expect(found([], { lateness: 250.4 })).toEqual(['warning: The proxy is 250 ms late to its work']);
    expect(found([], { phase: 'stopping' })).toEqual(['warning: The proxy is stopping']);
  });

  it.each([
    [
      'AUTHN_TOKEN_EXPIRED',
      300,
      5,
      ['warning: 30 % of requests are refused, 0.5 % in the hour before: AUTHN_TOKEN_EXPIRED'],
    ],
    ['AUTHN_TOKEN_EXPIRED', 300, 400, []],
    ['AUTHN_TOKEN_EXPIRED', 100, 5, []],
  ])('is whoever makes refusals jump: %s, %i in a thousand after %i', (code, now, before, expected) => {
    const minute = { start: NIGHT, passed: 0, refused: 0, failed: 0 };
    const minutes = [{ ...minute, passed: 1000 - before, refused: before }, minute, minute];
    const exposition = [decided('orders', 'deny', code, now), decided('orders', 'allow', 'ok', 1000 - now)];
    expect(found(exposition, { minutes })).toEqual(expected);
  });

  it.each([
    ['AUTHZ_GROUP_REQUIRED', /the rule, a group or a scope.*`condition` in the log.*form on this page/],
    ['AUTHN_CLIENT_MISMATCH', /another stage, app client.*`clientIds`.*form on this page/],
    ['SIGN_ROLE_DENIED', /^check the token's cognito:roles/],
  ])('says where to look when a route refuses with %s', (code, look) => {
    expect(assess(viewOf([decided('orders', 'deny', code, 20)]))).toMatchObject([
      { what: `Route orders refuses 100 % of its requests: ${code}`, look: expect.stringMatching(look) },
    ]);
  });

  it('names the command as it can be run in the image, which has no shell', () => {
    const now = readingOf(['cognito_auth_proxy_jwks_fetch_total{pool="main",result="failure"} 3']);
    expect(assess(viewOf([], { now }))[0]?.look).toContain(
      `\`kubectl exec ... -- ${IN_IMAGE} check --online\``,
    );
  });

  it('never quotes more than names of the configuration and codes', () => {
    const config = configOf();
    for (const { look } of assess(viewOf([answered('orders', 500, 9)], { config }))) {
      expect(look).not.toContain('10.0.0.1');
    }
  });
});
