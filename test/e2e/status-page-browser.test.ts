import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import { type Browser, openBrowser } from '../support/browser.ts';
import { isInstalled, itWith } from '../support/debian-tools.ts';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

// A browser takes its time to start on a small machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const itWithChromium = itWith('chromium');

const CONFIG: ProxyConfig = {
  upstreams: { board: {}, nobody: { url: 'http://127.0.0.1:9' } },
  routes: [
    {
      id: 'read-posts',
      match: { methods: ['GET'], path: '/posts' },
      allow: 'authenticated',
      upstream: 'board',
    },
    {
      id: 'write-posts',
      match: { methods: ['POST'], path: '/posts' },
      allow: { groups: ['writers'] },
      upstream: 'board',
    },
    {
      id: 'comments',
      match: { methods: ['GET', 'PUT'], path: '/users/{userId}/posts/{postId}/comments' },
      allow: { groups: ['writers', 'administrators'], claims: { sub: '{userId}' } },
      upstream: 'board',
    },
    { id: 'dead', match: { path: '/dead' }, allow: 'public', upstream: 'nobody' },
    ...Array.from({ length: 5_000 }, (_, index) => ({
      id: `service-${index}`,
      match: { path: `/services/${index}` },
      allow: 'authenticated' as const,
      upstream: 'board',
    })),
  ],
};

let browser: Browser;
let proxy: ProxyUnderTest;
let page: Page;
/** What the page has asked for, and complained of. */
let asked: string[];
let complaints: string[];

beforeAll(async () => {
  if (isInstalled('chromium')) browser = await openBrowser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  if (browser === undefined) return;
  proxy = await startProxy(CONFIG);
  asked = [];
  complaints = [];
  page = await browser.context.newPage();
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(proxy.admin);
  await page.waitForSelector('[data-live=yes]');
});
afterEach(async () => {
  await page?.close();
  await proxy?.stop();
});

const part = (name: string) => page.locator(`[data-part=${name}]`);
const get = (path: string, headers: string[] = []) => proxy.request(`GET ${path} HTTP/1.1`, headers);

describe('the status page in a browser', () => {
  itWithChromium('status page: is live, and turns red while an upstream does not answer', async () => {
    expect(await page.title()).toMatch(/^All well/);
    await get('/posts', [bearer(proxy.token())]);
    await part('routes')
      .locator('tr', { hasText: 'read-posts' })
      .locator('td', { hasText: /^1$/ })
      .first()
      .waitFor();
    const latency = part('routes').locator('tr', { hasText: 'read-posts' }).locator('[data-label=p99]');
    expect(await latency.textContent()).toMatch(/^\d.* m?s$/);

    await Promise.all(Array.from({ length: 4 }, () => get('/dead')));
    await page.waitForSelector('html[data-level=fault]');
    expect(await part('headline').textContent()).toMatch(
      /^Upstream nobody: 100 % of requests end in 502 UPSTREAM_CONNECT_FAILED since \d\d:\d\d UTC\s+Check that the upstream runs and that its address is right\.\s*$/,
    );
    expect(await page.title()).toMatch(/^Upstream nobody: 100 %/);
    const icon = await page.locator('link[rel=icon]').getAttribute('href');
    expect(icon).toContain('%23c0272d');
    expect(complaints).toEqual([]);
  });

  itWithChromium('status page: explains what is pasted, and keeps none of it', async () => {
    const token = proxy.token({ 'cognito:groups': ['readers'] });
    await page.fill('[name=request]', 'POST /posts HTTP/1.1');
    await page.fill('[name=token]', `Authorization: Bearer ${token}`);
    await page.click('#explain button');
    const explanation = page.locator('#explanation');
    await explanation.locator('.outcome').waitFor();
    const text = await explanation.textContent();
    expect(text).toContain('route      write-posts (allow: conditions), to upstream board');
    expect(text).toContain('condition  - groups anyOf [writers]');
    expect(text).toContain('outcome    403 AUTHZ_GROUP_REQUIRED');

    // Where it was sent, and what the browser would find again.
    expect(asked.filter((url) => !url.startsWith(`${proxy.admin}/`))).toEqual([]);
    expect(asked.join(' ')).not.toContain(token);
    expect(page.url()).toBe(`${proxy.admin}/`);
    const kept = await page.evaluate(
      '[localStorage.length, sessionStorage.length, document.cookie, history.length, history.state]',
    );
    expect(kept).toMatchObject([0, 0, '', expect.any(Number), null]);
    expect(await browser.context.cookies()).toEqual([]);
    await page.reload();
    expect(await page.inputValue('[name=token]')).toBe('');
    expect(complaints).toEqual([]);
  });

  itWithChromium('status page: finds one route among five thousand, and stays on it', async () => {
    await get('/services/4321');
    await part('routes').getByText('25 of 5,0').waitFor();
    expect(await part('routes').locator('tbody tr').count()).toBe(25);
    await page.fill('[name=search]', 'service-4321');
    await part('routes').getByText('1 of 1 routes').waitFor();
    await get('/services/4321');
    await part('routes').locator('code', { hasText: 'AUTHN_TOKEN_MISSING' }).waitFor();
    await part('routes').locator('.count', { hasText: '2, 2' }).waitFor();
    expect(await part('routes').locator('tbody tr').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  itWithChromium(
    'status page: shows the configuration when asked, and stands still when paused',
    async () => {
      await page.click('#configuration summary');
      await page.locator('#configuration pre', { hasText: 'id: service-4999' }).waitFor();
      await page.click('#pause');
      await get('/posts');
      const before = await page.content();
      await page.click('#pause');
      await part('routes').locator('code', { hasText: 'AUTHN_TOKEN_MISSING' }).waitFor();
      expect(before).not.toContain('AUTHN_TOKEN_MISSING');
      expect(complaints).toEqual([]);
    },
  );

  itWithChromium('status page: fits a phone, and is readable in light and dark', async () => {
    await get('/users/u1/posts/7/comments', [bearer(proxy.token({ 'cognito:groups': ['writers'] }))]);
    // Twice, for a first line with a long word in it.
    for (let index = 0; index < 2; index += 1) await get('/dead');
    await page.waitForSelector('html[data-level=fault]');
    await part('routes').locator('code', { hasText: 'AUTHZ_CLAIM_REQUIRED' }).waitFor();
    await part('routes').locator('code', { hasText: 'UPSTREAM_CONNECT_FAILED' }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [320, 390, 800, 1024, 1280]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, width]);
      }
      expect(await page.evaluate(LOWEST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
    }
  });

  itWithChromium('status page: says so when the proxy has gone', async () => {
    await proxy.service.stop();
    await page.getByText('not connected: what is shown is old').waitFor();
  });

  itWithChromium('status page: is whole without scripts', async () => {
    const plain = await browser.context.browser()?.newContext({ javaScriptEnabled: false });
    const still = await (plain ?? browser.context).newPage();
    await still.goto(proxy.admin);
    expect(await still.locator('tbody tr').count()).toBeGreaterThan(20);
    expect(await still.locator('form').filter({ visible: true }).count()).toBe(0);
    await still.close();
    await plain?.close();
  });
});

/** The lowest contrast of a text with what is behind it (WCAG 2.2, 1.4.3 asks for 4.5). */
const LOWEST_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = pixel(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.evaluate('//body//text()[normalize-space()]', document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
  let lowest = 21;
  for (let i = 0; i < texts.snapshotLength; i++) {
    const element = texts.snapshotItem(i).parentElement;
    if (element.tagName === 'NOSCRIPT' || element.tagName === 'TITLE') continue;
    const [one, other] = [luminance(pixel(getComputedStyle(element).color)), luminance(behind(element))];
    lowest = Math.min(lowest, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
  }
  return lowest;
})()`;
