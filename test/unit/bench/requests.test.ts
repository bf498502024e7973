import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RequestPlan, writeRequests } from '../../../bench/world/requests.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-requests-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function requestsOf(plan: RequestPlan): string[] {
  const { path, count } = writeRequests(folder, plan);
  const requests = readFileSync(path, 'latin1').split('\0');
  // Each one is ended, the last one too.
  expect(requests.pop()).toBe('');
  expect(requests).toHaveLength(count);
  return requests;
}

it('takes each token and each route in its turn', () => {
  const requests = requestsOf({ kind: 'read', routes: 6, tokens: ['t0', 't1', 't2'] });
  const turns = requests.map((text) => [text.split(' ')[1], /Bearer (\S+)/.exec(text)?.[1]]);
  expect(turns).toEqual([
    ['/service-0/items/0', 't0'],
    ['/service-1/items/1', 't1'],
    ['/service-0/items/2', 't2'],
  ]);
});

it('is as long as the routes are many', () => {
  const requests = requestsOf({ kind: 'read', routes: 42, tokens: ['t0'] });
  expect(new Set(requests.map((text) => text.split('/items/')[0])).size).toBe(20);
});

it('writes a POST with its body', () => {
  const [request = ''] = requestsOf({ kind: 'write', routes: 4, tokens: ['t0'] });
  const [head = '', body] = request.split('\r\n\r\n');
  expect(head).toMatch(/^POST \/service-0\/items\/0 HTTP\/1\.1\r\nHost: /);
  expect(head).toContain('\r\nContent-Length: 1024');
  expect(body).toHaveLength(1024);
});

it('sends no token where none is asked for', () => {
  const [request = ''] = requestsOf({ kind: 'public', routes: 4, tokens: null });
  expect(request).toMatch(/^GET \/public\/0 HTTP\/1\.1\r\n/);
  expect(request).not.toContain('Authorization');
});

it('writes the same plan to the same file, and another to another', () => {
  const plan: RequestPlan = { kind: 'read', routes: 4, tokens: ['t0'] };
  expect(writeRequests(folder, plan)).toEqual(writeRequests(folder, { ...plan }));
  expect(writeRequests(folder, plan).path).not.toBe(writeRequests(folder, { ...plan, tokens: ['t1'] }).path);
});
