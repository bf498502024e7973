/**
 * Takes the pictures of docs/status-page.md: a proxy between a user pool, an identity pool and upstreams has an hour of
 * traffic, of which its clock leaps over most, until one upstream fails. Wants Chromium, the Debian package `chromium`.
 *
 *   node bench/draw-status-page.ts [folder]
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../test/support/browser.ts';
import type { ProxyConfig } from '../test/support/proxy.ts';
import { createSeededRandom } from '../test/support/seeded-random.ts';
import { startSigningStack } from '../test/support/signing-stack.ts';
import { createLeapingClock } from './world/leaping-clock.ts';
import { startSlowUpstream } from './world/slow-upstream.ts';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../docs/images', import.meta.url));

/** Milliseconds from one look of the status page to the next while nobody watches. */
const STEP = 15_000;
const MINUTE = 60_000;
const DESKTOP = { width: 1200, height: 1010 };
/** Pixels around a part. */
const MARGIN = 24;
const PHONE = { width: 390, height: 844 };

const clock = createLeapingClock(Date.UTC(2026, 10, 20, 1, 48, 10));
const random = createSeededRandom(7);
const board = await startSlowUpstream({ least: 2, most: 9, random });
const orders = await startSlowUpstream({ least: 16, most: 42, random });
const stack = await startSigningStack({
  clock,
  upstream: { now: clock.now },
  emulator: { now: clock.now },
});
const { proxy } = stack;
const { upstreams: { signed } = {}, ...config } = stack.config();
const routes: ProxyConfig['routes'] = [
  { id: 'health', match: { methods: ['GET'], path: '/healthz' }, allow: 'public', upstream: 'board' },
  {
    id: 'read-posts',
    match: { methods: ['GET'], path: '/posts/{proxy+}' },
    allow: 'authenticated',
    upstream: 'board',
  },
  {
    id: 'write-posts',
    match: { methods: ['POST', 'PUT'], path: '/users/{userId}/posts' },
    allow: { groups: ['writers', 'admins'], claims: { sub: '{userId}' } },
    upstream: 'board',
  },
  {
    id: 'orders',
    match: { path: '/orders/{proxy+}' },
    allow: { scopes: { allOf: ['orders/read'] } },
    upstream: 'orders',
  },
  {
    id: 'reports',
    match: { path: '/reports/{proxy+}' },
    allow: { groups: ['finance'] },
    enforce: false,
    upstream: 'board',
  },
  {
    id: 'invoices',
    match: { methods: ['GET'], path: '/invoices/{key+}' },
    allow: 'authenticated',
    upstream: 'archive',
  },
];

/** A token of now: by the clock of the machine it would be of the future. */
const times = (): Record<string, number> => {
  const iat = Math.floor(clock.now() / 1000);
  return { iat, auth_time: iat, exp: iat + 3600 };
};
const WRITER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const token = (more: Record<string, unknown> = {}): string => proxy.token({ ...times(), ...more });
const writer = (): string => token({ sub: WRITER, 'cognito:groups': ['writers'] });

/** One caller after another; of a hundred, some come with nothing, or with a token that does not do. */
const callers: readonly (readonly [weight: number, line: string, authorization: () => string | null])[] = [
  [8, 'GET /healthz', () => null],
  [34, 'GET /posts/42', writer],
  [2, 'GET /posts/42', () => null],
  [6, `POST /users/${WRITER}/posts`, writer],
  [1, `POST /users/${WRITER}/posts`, () => token({ 'cognito:groups': ['readers'] })],
  [34, 'GET /orders/1017', () => token({ scope: 'orders/read' })],
  [2, 'GET /orders/1017', () => token({ scope: 'openid' })],
  [3, 'GET /reports/2026', () => token({ 'cognito:groups': ['sales'] })],
  [9, 'GET /invoices/2026/11.pdf', () => stack.idToken(random.pick(['alice', 'bob', 'carol']), times())],
  [1, 'GET /wp-login.php', () => null],
];
const deck = callers.flatMap(([weight, ...caller]) => Array.from({ length: weight }, () => caller));

async function call(count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const [line, authorization] = random.pick(deck);
      const [method = '', path = ''] = line.split(' ');
      const credentials = authorization();
      const headers = credentials === null ? {} : { authorization: `Bearer ${credentials}` };
      await (await fetch(proxy.origin + path, { method, headers })).text();
    }),
  );
}

/** Traffic that comes and goes, a few requests at once, with the pauses between them left out. */
async function pass(minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes * MINUTE; passed += STEP) {
    const tide = 1 + 0.45 * Math.sin(clock.now() / 700_000) + random.below(30) / 100;
    for (let share = 0; share < 4; share += 1) await call(Math.round(5 * tide));
    await clock.leap(STEP);
  }
}

const browser = await openBrowser();
const page = await browser.context.newPage();

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Picture {
  readonly name: string;
  readonly colorScheme: 'light' | 'dark';
  readonly viewport: typeof DESKTOP;
  /** Default: all of the page. */
  readonly part?: 'top' | 'explain';
}

async function take({ name, colorScheme, viewport, part }: Picture): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  const path = join(FOLDER, `${name}.png`);
  await page.evaluate('scrollTo(0, 0)');
  const box = part === 'explain' ? await page.locator('section:has(#explain)').boundingBox() : null;
  const clip = box === null ? {} : { clip: around(box) };
  await page.screenshot({ path, fullPage: part !== 'top', ...clip });
  process.stdout.write(`${path}: ${Math.round(statSync(path).size / 1024)} KiB\n`);
}

const around = ({ x, y, width, height }: Box): Box => ({
  x: x - MARGIN,
  y: y - MARGIN,
  width: width + 2 * MARGIN,
  height: height + 2 * MARGIN,
});

async function show(): Promise<void> {
  await page.goto(proxy.admin);
  await page.waitForSelector('[data-live=yes]');
  await call(12);
  // Until it has seen these.
  await setTimeout(3_000);
}

try {
  await proxy.reload({
    ...config,
    upstreams: {
      board: { url: board.origin },
      orders: { url: orders.origin },
      archive: { ...signed, urls: [stack.upstream.origin] },
    },
    routes,
  });
  await pass(60);
  await show();
  await take({ name: 'status-page', colorScheme: 'light', viewport: DESKTOP });
  await take({ name: 'status-page-phone-dark', colorScheme: 'dark', viewport: PHONE });
  await page.fill('[name=request]', `POST /users/${WRITER}/posts`);
  await page.fill('[name=token]', token({ sub: WRITER, 'cognito:groups': ['readers'] }));
  await page.locator('[name=token]').evaluate((area) => area.scrollTo(0, 0));
  await page.click('#explain button');
  await page.waitForSelector('#explanation .outcome');
  await take({ name: 'status-page-explain', colorScheme: 'light', viewport: DESKTOP, part: 'explain' });

  await page.goto('about:blank');
  orders.fail(45);
  await pass(3);
  await show();
  await take({ name: 'status-page-fault', colorScheme: 'dark', viewport: DESKTOP, part: 'top' });
  await take({ name: 'status-page-dark', colorScheme: 'dark', viewport: DESKTOP });
  await take({ name: 'status-page-phone', colorScheme: 'light', viewport: PHONE });
} finally {
  await browser.close();
  await stack.stop();
  await board.stop();
  await orders.stop();
  clock.stop();
}
