/**
 * Nothing a client chooses becomes a label: CVE-2022-21698 (client_golang took the method for one). However many
 * methods, paths, hosts, tokens and request ids there are, the number of series stays what it was.
 */
import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw } from '../support/raw-http.ts';

const ROUNDS = 150;

async function seriesOf(proxy: ProxyUnderTest): Promise<string[]> {
  const lines = (await proxy.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
}

describe.each([false, true])('with routeHistograms: %s', (routeHistograms) => {
  let proxy: ProxyUnderTest;

  beforeAll(async () => {
    proxy = await startProxy({
      metrics: { routeHistograms },
      routes: [
        { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
        { id: 'members', match: { path: '/members/{path+}' }, allow: 'authenticated', upstream: 'board' },
      ],
    });
  });
  afterAll(() => proxy.stop());

  async function round(i: string): Promise<void> {
    // One for both shapes, so that it is found in the cache the second time, in every round.
    const token = proxy.token({ sub: `sub-${i}`, jti: i });
    for (const shape of SHAPES) {
      await attack(proxy, shape, `/public/${i}?q=${i}`, [
        `Host: h${i}.example`,
        `User-Agent: ${i}`,
        `X-Request-Id: id-${i}`,
      ]);
      await attack(proxy, shape, `/members/${i}`);
      await attack(proxy, shape, `/members/${i}`, [`Authorization: Bearer ${i}`]);
      await attack(proxy, shape, `/members/${i}`, [bearer(token)]);
      await attack(proxy, shape, `/nowhere/${i}`);
      await attack(proxy, shape, `/public//${i}`);
    }
    await exchangeRaw(proxy.origin, `X${i.toUpperCase()} /public/x HTTP/1.1\r\nHost: x\r\n\r\n`);
    await exchangeRaw(proxy.origin, `GET /public/x HTTP/1.${i.length}\r\nHost: x\r\n\r\n`);
  }

  it('keeps the number of series flat', { timeout: 120_000 }, async () => {
    for (const method of METHODS)
      if (method !== 'CONNECT') await proxy.request(`${method} /public/x HTTP/1.1`);
    await proxy.request('CONNECT a:1 HTTP/1.1');
    await round('first');
    await untilIdle(proxy);
    const before = await seriesOf(proxy);
    for (let i = 0; i < ROUNDS; i++) await round(`n${i}`);
    await untilIdle(proxy);
    const after = await seriesOf(proxy);
    // Node's own metrics name what it finds open at the moment: sockets, timers.
    const ours = (series: readonly string[]): string[] =>
      series.filter((name) => /^(http_server|cognito)/.test(name));
    expect(ours(after)).toEqual(ours(before));
  });

  it('knows the usual methods by name, and no others', async () => {
    const methods = new Set(
      (await seriesOf(proxy)).flatMap((name) => /method="([^"]+)"/.exec(name)?.[1] ?? []),
    );
    expect([...methods].sort()).toEqual(
      ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE', '_OTHER'].sort(),
    );
  });

  it('takes labels from the configuration and from fixed sets only', async () => {
    const text = (await seriesOf(proxy)).filter((name) => /^(http_server|cognito)/.test(name)).join('\n');
    expect(text).not.toMatch(/n\d+|first|sub-|h\.example|api\.example|127\.0\.0\.1/);
    const routes = new Set([...text.matchAll(/route="([^"]+)"/g)].map(([, route]) => route));
    expect([...routes].sort()).toEqual(['members', 'none', 'open']);
  });
});
