import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'explain-limits-'));
afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(
  join(folder, 'cognito-auth-proxy.yaml'),
  `
server: { limits: { headerCount: 1, urlBytes: 100 } }
userPools: { main: { userPoolId: us-east-1_Abc, clientIds: null } }
upstreams: { board: { url: "http://board.internal" } }
routes:
  - id: posts
    match: { path: /posts }
    allow: public
    upstream: board
    rateLimit: { by: address, requests: 100, per: 1m, burst: 20 }
  - { id: free, match: { path: /free }, allow: public, upstream: board }
`,
);

const explain = (...args: string[]) => runCommandLine(['explain', ...args], { folder });

describe('explain', () => {
  it('says how often a route may be used', async () => {
    expect(await explain('--url', '/posts')).toEqual({
      code: 0,
      err: '',
      out: [
        'path       /posts',
        'route      posts (allow: public), to upstream board',
        'limit      100 requests per 1m by address, at most 20 at once',
        'outcome    allowed',
        '',
      ].join('\n'),
    });
    const { out } = await explain('--url', '/posts', '--json');
    expect(JSON.parse(out)).toMatchObject({
      outcome: 'allow',
      route: { rateLimit: '100 requests per 1m by address, at most 20 at once' },
    });
  });

  it('says nothing of a limit where there is none', async () => {
    expect((await explain('--url', '/free')).out).not.toContain('limit');
    const { out } = await explain('--url', '/free', '--json');
    expect(JSON.parse(out)).toMatchObject({ route: { rateLimit: null } });
  });

  it('judges what it is given by the same limits as serve', async () => {
    const { out } = await explain('--url', `/${'a'.repeat(100)}`);
    expect(out).toContain('414 LIMIT_URL');
  });
});
