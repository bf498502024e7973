import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMint, type Mint } from '../../../bench/world/tokens.ts';

let folder: string;
let mint: Mint;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-mint-'));
  mint = createMint(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function isGenuine(token: string): boolean {
  const key = createPublicKey(readFileSync(mint.pemFile));
  const dot = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  return verify('sha256', Buffer.from(token.slice(0, dot)), key, signature);
}

it('signs a token for each of many users, and keeps those it has', async () => {
  const few = await mint.tokens(3);
  const more = await mint.tokens(5);
  expect(new Set(more).size).toBe(5);
  expect(more.slice(0, 3)).toEqual(few);
  expect(more.every(isGenuine)).toBe(true);
});

it('forges tokens that differ from genuine ones in their signature only', async () => {
  const genuine = await mint.tokens(3);
  const forged = await mint.forgeries(3);
  const signed = (token: string): string => token.slice(0, token.lastIndexOf('.'));
  expect(forged.map(signed)).toEqual(genuine.map(signed));
  expect(forged.map((token) => token.length)).toEqual(genuine.map((token) => token.length));
  expect(forged.some(isGenuine)).toBe(false);
});

it('publishes the same key in both forms', () => {
  const { keys } = JSON.parse(readFileSync(mint.keySetFile, 'utf8')) as { keys: [object] };
  const pem = createPublicKey(readFileSync(mint.pemFile)).export({ format: 'jwk' });
  expect(keys[0]).toMatchObject(pem);
});
