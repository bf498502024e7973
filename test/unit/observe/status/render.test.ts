import { describe, expect, it } from 'vitest';
import { html } from '../../../../src/observe/status/html.ts';
import { ageInWords, durationInWords, numberInWords } from '../../../../src/observe/status/in-words.ts';
import { renderPage } from '../../../../src/observe/status/render-page.ts';
import { headlineOf, renderParts, troublesInText } from '../../../../src/observe/status/render-parts.ts';
import { renderRoutes, selectRoutes } from '../../../../src/observe/status/render-routes.ts';
import { describeStatus, type Status } from '../../../../src/observe/status/status.ts';
import { configOf, NIGHT, viewOf } from '../../../support/status-view.ts';

const statusOf = (exposition: readonly string[], config = configOf()): Status =>
  describeStatus(viewOf(exposition, { config }), () => NIGHT);

const decided = (route: string, code: string, count: number): string =>
  `cognito_auth_proxy_decisions_total{route="${route}",decision="${code === 'ok' ? 'allow' : 'deny'}",code="${code}"} ${count}`;

const found = (status: Status, search: string, order: 'requests' | 'refusals' = 'requests') =>
  selectRoutes(status.routes, { search, order }).map(({ id }) => id);

describe('markup', () => {
  it('lets nothing in that it did not write itself', () => {
    const text = `<script>'"&`;
    expect(html`<p title="${text}">${[text, html`<b>${1}</b>`, null]}</p>`.text).toBe(
      '<p title="&#60;script&#62;&#39;&#34;&#38;">&#60;script&#62;&#39;&#34;&#38;<b>1</b></p>',
    );
  });

  it('has every name of the configuration and of a metric only as text', () => {
    const evil = '<img src=x onerror=alert(1)>';
    const config = configOf({
      routes: [{ id: 'evil', match: { path: '/a' }, allow: { groups: [evil] }, upstream: 'orders' }],
    });
    const status = statusOf([decided('evil', evil, 3)], config);
    const page = renderPage(status, renderParts(status), 'abc');
    expect(page).toContain('&#60;img src=x');
    expect(page).not.toContain('<img');
  });
});

describe('the first line', () => {
  it.each<[string, readonly string[], string]>([
    ['all is well', [decided('orders', 'ok', 5)], 'All well'],
    [
      'the proxy is, and nearly all are refused',
      [
        decided('orders', 'ok', 1),
        decided('orders', 'AUTHN_SIGNATURE_INVALID', 17),
        decided('orders', 'AUTHN_TOKEN_MISSING', 2),
        decided('none', 'ROUTE_NOT_FOUND', 20),
      ],
      'All well, though 95 % of requests are refused: AUTHN_SIGNATURE_INVALID',
    ],
    [
      'scanners knock where there is no route, and one caller has no token',
      [decided('none', 'ROUTE_NOT_FOUND', 1_000), decided('orders', 'AUTHN_TOKEN_MISSING', 1)],
      'All well',
    ],
    [
      'scanners knock, and callers who are let in outnumber those who are not',
      [
        decided('none', 'ROUTE_NOT_FOUND', 1_000),
        decided('orders', 'ok', 11),
        decided('orders', 'AUTHN_TOKEN_MISSING', 10),
      ],
      'All well',
    ],
    ['half are not', [decided('orders', 'ok', 11), decided('orders', 'AUTHN_TOKEN_MISSING', 10)], 'All well'],
    ['nobody came', [], 'All well, and no requests in the last minute'],
    [
      'something is not',
      [
        'cognito_auth_proxy_upstream_duration_seconds_count{upstream="orders",status="502"} 31',
        'cognito_auth_proxy_upstream_duration_seconds_count{upstream="orders",status="200"} 69',
        'cognito_auth_proxy_config_last_reload_successful 0',
      ],
      'Upstream orders: 31 % of its answers are 502, since 02:51 UTC: look at its own log and its latest deployment: these answers are its own, the proxy passes them on (and 1 more)',
    ],
  ])('says when %s', (_name, exposition, expected) => {
    expect(headlineOf(statusOf(exposition))).toBe(expected);
  });
});

describe('in text', () => {
  it('the lesser troubles follow the gravest', () => {
    const status = statusOf([
      'cognito_auth_proxy_upstream_duration_seconds_count{upstream="orders",status="502"} 31',
      'cognito_auth_proxy_config_last_reload_successful 0',
    ]);
    const [first, second, ...rest] = troublesInText(status).split('\n');
    expect(first).toBe(headlineOf(status));
    expect(second).toMatch(/^The configuration .*, since 02:51 UTC: /);
    expect(rest).toEqual([]);
  });

  it('is the headline alone when all is well', () => {
    expect(troublesInText(statusOf([decided('orders', 'ok', 5)]))).toBe('All well');
  });
});

describe('routes', () => {
  const status = statusOf([
    decided('orders', 'ok', 5),
    decided('orders', 'AUTHZ_GROUP_REQUIRED', 2),
    decided('reports', 'ok', 9),
    decided('none', 'ROUTE_NOT_FOUND', 1),
    'cognito_auth_proxy_shadow_refusals_total{route="reports",code="AUTHN_TOKEN_EXPIRED"} 4',
  ]);

  it('come with the busiest first, or with those that refuse most', () => {
    expect(found(status, '')).toEqual(['reports', 'orders', 'none']);
    expect(found(status, '', 'refusals')).toEqual(['orders', 'none', 'reports']);
  });

  it.each([
    ['ORD', ['orders']],
    ['/rep', ['reports']],
    ['group_required', ['orders']],
    ['token_expired', ['reports']],
    ['nothing like it', []],
  ])('are found by %s', (search, expected) => {
    expect(found(status, search)).toEqual(expected);
  });

  it('show what shadow mode would have refused', () => {
    const { text } = renderRoutes(selectRoutes(status.routes, { search: 'reports', order: 'requests' }), 3);
    expect(text).toMatch(/would be refused.*AUTHN_TOKEN_EXPIRED/);
  });

  it.each([
    [
      'counted for this page',
      [
        'cognito_auth_proxy_route_durations_total{route="orders",bucket="3"} 50',
        'cognito_auth_proxy_route_durations_total{route="orders",bucket="7"} 50',
        'cognito_auth_proxy_route_durations_total{route="reports",bucket="0"} 1',
      ],
    ],
    [
      'counted for scrapes too',
      [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, '+Inf'].flatMap((le) => [
        `http_server_request_duration_seconds_bucket{le="${le}",method="GET",status="200",route="orders"} ${Number(le) < 0.05 ? 0 : Number(le) < 0.5 ? 50 : 100}`,
        `http_server_request_duration_seconds_bucket{le="${le}",method="GET",status="200",route="reports"} 1`,
      ]),
    ],
  ])('tell how long requests on them took, %s', (_where, exposition) => {
    const [orders, reports] = statusOf(exposition).routes;
    expect(orders?.latency).toEqual({ p50: 0.05, p99: expect.closeTo(0.495) });
    expect(reports?.latency).toEqual({ p50: 0.0025, p99: expect.closeTo(0.00495) });
    const { text } = renderRoutes(orders === undefined ? [] : [orders], 1);
    expect(text).toContain('data-label="p50">50 ms</td><td class="num" data-label="p99">495 ms<');
  });

  it('tell no latency where there were no requests', () => {
    expect(statusOf([]).routes[0]?.latency).toBeNull();
    expect(renderParts(statusOf([])).routes.text).toContain('data-label="p99">–<');
  });

  it('show failures of the upstream beside those that have a code of ours', () => {
    const { routes } = statusOf([
      decided('orders', 'ok', 10),
      'cognito_auth_proxy_decisions_total{route="orders",decision="fault",code="UPSTREAM_TIMEOUT"} 2',
      'cognito_auth_proxy_requests_total{route="orders",status="5xx"} 5',
    ]);
    expect(routes[0]).toMatchObject({
      total: 12,
      codes: [
        { code: '5xx of the upstream', total: 3, lately: 3 },
        { code: 'UPSTREAM_TIMEOUT', total: 2, lately: 2 },
      ],
    });
  });

  it('have their rules on one line, as they are in the file', () => {
    const allow = {
      anyOf: [{ groups: ['a', 'b'], claims: { 'custom:tenant': '{tenant}' } }, { scopes: ['x/y'] }],
    };
    const routes = [{ id: 'one', match: { path: '/{tenant}' }, allow, upstream: 'orders' }];
    const { text } = renderParts(statusOf([], configOf({ routes }))).routes;
    expect(/class="allow" title="(.*?)"/.exec(text)?.[1]).toBe(
      'anyOf: [{groups: [a, b], claims: {custom:tenant: {tenant}}}, {scopes: [x/y]}]',
    );
  });

  it('are marked where their rules are not enforced', () => {
    const config = configOf({ enforce: false });
    expect(renderParts(statusOf([], config)).routes.text).toContain('>shadow<');
    expect(renderParts(statusOf([])).routes.text).not.toContain('>shadow<');
  });

  it('make a page of the same size, be they ten or five thousand', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({
      id: `route-${index}`,
      match: { path: `/services/${index}` },
      allow: 'authenticated' as const,
      upstream: 'orders',
    }));
    const exposition = many.map(({ id }) => decided(id, 'AUTHN_TOKEN_MISSING', 3));
    const large = statusOf(exposition, configOf({ routes: many }));
    const page = renderPage(large, renderParts(large), 'abc');
    expect(page.length).toBeLessThan(40_000);
    expect(page).toContain('25 of 5,000 routes');
    expect(found(large, 'route-4321')).toEqual(['route-4321']);
  });
});

describe('words', () => {
  it.each([
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_199, '119 min'],
    [7_200, '2 h'],
    [200_000, '2 days'],
  ])('for an age of %i s: %s', (seconds, words) => {
    expect(ageInWords(seconds)).toBe(words);
  });

  it.each([
    [0.000_84, '0.8 ms'],
    [0.012, '12 ms'],
    [0.999, '999 ms'],
    [1.44, '1.4 s'],
    [31, '31 s'],
  ])('for a duration of %f s: %s', (seconds, words) => {
    expect(durationInWords(seconds)).toBe(words);
  });

  it.each([
    [0, '0'],
    [0.44, '0.4'],
    [12.4, '12'],
    [1204, '1,204'],
  ])('for %f: %s', (value, words) => {
    expect(numberInWords(value)).toBe(words);
  });
});
