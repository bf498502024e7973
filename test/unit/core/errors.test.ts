import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode, type ErrorEntry } from '../../../src/core/errors.ts';
import { deny, fault, statusOf } from '../../../src/core/refusal.ts';
import { errorsPage } from '../../support/errors-page.ts';

const ROOT = join(import.meta.dirname, '../../..');
const entries = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][];

/** What API Gateway says, where it answers with the status ("Gateway response types" in its developer guide). */
const MESSAGES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  411: 'Length Required',
  413: 'Request Too Long',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

describe('the error registry', () => {
  it.each(entries)('%s is well-formed', (code, entry) => {
    expect(code).toMatch(/^(REQUEST|ROUTE|AUTHN|AUTHZ|SIGN|UPSTREAM|LIMIT|INTERNAL)_[A-Z_]+$/);
    expect(entry.message).toBe(MESSAGES[entry.status]);
    // In quotes in WWW-Authenticate: RFC 6750 section 3 has no quotes and no backslashes there.
    expect(entry.description).toMatch(/^[a-zA-Z][\x20\x21\x23-\x5b\x5d-\x7e]*[^.]$/);
    expect(entry.remedy).toMatch(/^[A-Z].*\.$/);
  });

  it.each(entries)('%s has the headers that its status asks for', (_, entry) => {
    // RFC 9110 section 15.5.2.
    if (entry.status === 401) expect(entry.challenge).toMatch(/^(bare|invalid_token)$/);
    if (entry.challenge === 'invalid_request') expect(entry.status).toBe(400);
    if (entry.challenge === 'insufficient_scope') expect(entry.status).toBe(403);
    if (entry.challenge !== undefined) expect([400, 401, 403]).toContain(entry.status);
    expect(entry.retryAfter !== undefined).toBe(entry.status === 503 || entry.status === 429);
  });

  it.each(entries)('%s is logged as what it is', (_, entry) => {
    expect(entry.level === 'info').toBe(entry.status < 500);
  });

  it('describes no two errors alike', () => {
    const descriptions = entries.map(([, entry]) => entry.description);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it('has no code that nothing uses', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== join('core', 'errors.ts'))
      .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
      .join('\n');
    expect(entries.map(([code]) => code).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
  });

  it('is what docs/errors.md says: vitest run test/unit/core/errors.test.ts -u', async () => {
    await expect(errorsPage()).toMatchFileSnapshot(join(ROOT, 'docs/errors.md'));
  });
});

describe('refusals', () => {
  it('are verdicts or faults, with what the log may know', () => {
    expect(deny('AUTHZ_GROUP_REQUIRED', { condition: 'groups anyOf [a]' })).toEqual({
      kind: 'deny',
      code: 'AUTHZ_GROUP_REQUIRED',
      condition: 'groups anyOf [a]',
    });
    const cause = new Error('down');
    expect(fault('AUTHN_KEYS_UNAVAILABLE', cause)).toEqual({
      kind: 'fault',
      code: 'AUTHN_KEYS_UNAVAILABLE',
      cause,
    });
  });

  it('have the status of their code', () => {
    expect(statusOf(deny('LIMIT_URL'))).toBe(414);
  });
});
