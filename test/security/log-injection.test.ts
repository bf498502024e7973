/**
 * Whatever a client sends, one request is one line of JSON with the fields that are meant to be there: CVE-2025-25294
 * (Envoy Gateway). The real logger writes to a file here, and what it wrote is read.
 */
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProcessLogger } from '../../src/core/ports.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { attack, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw } from '../support/raw-http.ts';

let folder: string;
let file: string;
let descriptor: number;
let logger: ProcessLogger;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-injection-'));
  file = join(folder, 'log');
  descriptor = openSync(file, 'a');
  logger = createLogger('info', { descriptor });
  proxy = await startProxy(
    {
      // Fewer than any machine has descriptors for, which would be a line of its own.
      server: { limits: { connections: 100 } },
      tokenSources: ['authorization', { query: 'token' }, { cookie: 'session' }],
      routes: [
        { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
        { id: 'members', match: { path: '/members/{path+}' }, allow: 'authenticated', upstream: 'board' },
      ],
    },
    { logger },
  );
});
afterAll(async () => {
  await proxy.stop();
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const FIELDS = new Set([
  'level',
  'time',
  'message',
  'requestId',
  'method',
  'host',
  'path',
  'status',
  'ms',
  'upstreamMs',
  'bytes',
  'route',
  'decision',
  'code',
  'condition',
  'err',
  'subject',
  'client',
  'pool',
  'peer',
  'target',
]);

/** The lines that this made the proxy write, once there are as many as there should be. */
async function linesOf(
  count: number,
  run: () => Promise<unknown>,
): Promise<{ text: string; line: Record<string, unknown> }[]> {
  const before = readFileSync(file).length;
  await run();
  await untilIdle(proxy);
  for (;;) {
    // What is being written already is not waited for by a flush.
    logger.flush();
    const lines = readFileSync(file).subarray(before).toString('utf8').split('\n');
    if (lines.length <= count) await setImmediate();
    else
      return lines.slice(0, -1).map((text) => ({ text, line: JSON.parse(text) as Record<string, unknown> }));
  }
}

const FORGED = '{"level":"error","message":"forged"}';

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    ['a line feed in the path', '/public/a%0A{"level":"error"}', []],
    ['a carriage return in the path', '/public/a%0D%0Aforged', []],
    ['a line separator of Unicode', '/public/%E2%80%A8forged', []],
    ['text from right to left', '/public/%E2%80%AEforged', []],
    ['quotes in the path', `/public/",%22level":"error`, []],
    ['an escape sequence in the path', '/public/%1B[2Jforged', []],
    ['a line feed in the query', `/public/a?x=%0A${FORGED}`, []],
    ['quotes in the query', `/public/a?x="}${FORGED}`, []],
    ['quotes in the request id', '/public/a', [`X-Request-Id: "}${FORGED}`]],
    [
      'quotes in a traceparent',
      '/public/a',
      [`Traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-01-"}${FORGED}`],
    ],
    ['a request id that is too long', '/public/a', [`X-Request-Id: ${'a'.repeat(129)}`]],
    ['bytes beyond ASCII in the request id', '/public/a', ['X-Request-Id: \x85forged\xa0']],
    ['a tab in the request id', '/public/a', ['X-Request-Id: a\tforged']],
    ['quotes in the host', '/public/a', [`Host: "}${FORGED}`]],
    ['an escape sequence in a header', '/public/a', ['User-Agent: \xc2\x9b2Jforged', 'Referer: forged"}']],
    ['a forged chain of addresses', '/public/a', ['X-Forwarded-For: forged"}', 'Forwarded: for="forged"']],
  ])('one line for %s', async (_, target, headerLines) => {
    const lines = await linesOf(1, () => attack(proxy, shape, target, headerLines));
    expect(lines).toHaveLength(1);
    for (const { text, line } of lines) {
      expect([...Object.keys(line)].filter((key) => !FIELDS.has(key))).toEqual([]);
      expect(line['level']).toBe('info');
      expect(line['message']).toBe('request');
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      expect(line['requestId']).toMatch(/^[0-9a-f-]{36}$/);
      if (!target.includes('forged')) expect(text).not.toContain('forged');
    }
  });

  it('one line for a user called as an attacker pleases', async () => {
    const sub = `x\n${FORGED}\r\n\u001b[2J\u2028"}`;
    const token = proxy.token({ sub, username: sub, 'cognito:groups': [sub] });
    const lines = await linesOf(1, () => attack(proxy, shape, '/members/a', [bearer(token)]));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.line['subject']).toBe(sub);
  });

  it('no token, no query and no cookie is written', async () => {
    const token = proxy.token();
    const lines = await linesOf(5, async () => {
      await attack(proxy, shape, '/members/a', [bearer(token)]);
      await attack(proxy, shape, `/members/a?token=${token}&secret=hush`);
      await attack(proxy, shape, '/members/a', [`Cookie: session=${token}; other=hush`]);
      await attack(proxy, shape, '/members/a', [bearer(`${token}x`), 'Cookie: other=hush']);
      await attack(proxy, shape, `/nowhere?token=${token}`, ['Authorization: Basic aHVzaDpodXNo']);
    });
    expect(lines).toHaveLength(5);
    for (const { text } of lines) {
      for (const part of token.split('.')) expect(text).not.toContain(part);
      expect(text).not.toMatch(/hush|aHVzaDpodXNo|secret|Bearer/);
    }
  });
});

it("what node's parser refuses says nothing of what was sent", async () => {
  const bytes = `GET /public/a HTTP/1.1\r\nHost: x\r\nX-A: forged\0${FORGED}\r\n\r\n`;
  const lines = await linesOf(2, async () => {
    expect((await exchangeRaw(proxy.origin, bytes)).status).toBe(400);
    await attack(proxy, 'request', '/public/after');
  });
  expect(lines.map(({ line }) => [line['code'], line['path']])).toEqual([
    ['REQUEST_MALFORMED', undefined],
    [undefined, '/public/after'],
  ]);
  expect(lines[0]?.text).not.toMatch(/forged|X-A/i);
});
