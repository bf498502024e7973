import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCommand, type Probe } from '../../../src/cli/check.ts';
import { runCommandLine } from '../../support/command-line.ts';
import { complete } from '../../support/config-text.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-test-'));
  writeFileSync(
    join(folder, 'good.yaml'),
    complete(`
      server: { workers: 2 }
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: [app], tokenUse: [access, id] }
        partners: { userPoolId: us-east-1_Def, clientIds: null }
      upstreams:
        board: { url: http://board.internal }
        wiki: { urls: [http://wiki-1, http://wiki-2] }
      routes:
        - { id: health, match: { methods: [GET], path: /healthz }, allow: public, upstream: board }
        - id: write
          match: { host: api.example.com, path: "/posts/{id}" }
          allow: { userPools: main, groups: [writers] }
          upstream: wiki
    `),
  );
  writeFileSync(
    join(folder, 'shadow.yaml'),
    complete(
      `enforce: false\nroutes: [${Array.from({ length: 13 }, (_, i) => {
        const rest = i === 0 ? 'public' : i === 1 ? 'authenticated, enforce: true' : 'authenticated';
        return `{ id: r${i}, match: { path: /r${i} }, upstream: board, allow: ${rest} }`;
      }).join(', ')}]`,
    ),
  );
  const open =
    '{ id: open, match: { path: "/open/{p+}" }, allow: public, upstream: board, rewrite: { stripPrefix: /open } }';
  writeFileSync(
    join(folder, 'open.yaml'),
    complete(`
      routes:
        - ${open}
        - { id: admin, match: { path: "/admin/{p+}" }, allow: { groups: [admins] }, upstream: board }
        - { id: v2, match: { path: "/v2/{p+}" }, allow: { groups: [admins] }, upstream: board, rewrite: { stripPrefix: /v2 } }
    `),
  );
  const closed = Array.from(
    { length: 11 },
    (_, i) => `{ id: r${i}, match: { path: /r${i} }, allow: authenticated, upstream: board }`,
  );
  writeFileSync(join(folder, 'wide-open.yaml'), complete(`routes: [${[open, ...closed].join(', ')}]`));
  writeFileSync(join(folder, 'bad.yaml'), complete('log: { level: loud }\nlitsen: 1'));
  writeFileSync(join(folder, 'one.yaml'), complete('admn: {}'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('check', () => {
  it('shows what a good file stands for', async () => {
    expect(await runCommandLine(['check', '--config', 'good.yaml'], { folder })).toEqual({
      code: 0,
      err: '',
      out: `good.yaml is fine
listens on http://0.0.0.0:8080 with 2 workers, admin on 127.0.0.1:9090
user pool main: us-east-1_Abc, access and id tokens of client app
user pool partners: us-east-1_Def, access tokens of ANY client
upstream board: http://board.internal
upstream wiki: http://wiki-1, http://wiki-2

ROUTE   METHODS  HOST             PATH         UPSTREAM  ALLOW
health  GET      any              /healthz     board     public
write   any      api.example.com  /posts/{id}  wiki      {"groups":["writers"],"userPools":"main"}
`,
    });
  });

  it('warns where nobody is refused, loudly, and names the routes', async () => {
    const { code, out, err } = await runCommandLine(['check', '--config', 'shadow.yaml'], { folder });
    expect([code, err]).toEqual([
      0,
      'WARNING: enforce: false lets EVERYBODY through, with any token or none, on r2, r3, r4, r5, r6, r7, r8, r9, r10, r11 and 1 more\n',
    ]);
    expect(out).toContain('r2     any      any   /r2   board     authenticated (not enforced)\n');
    expect(out).toContain('r1     any      any   /r1   board     authenticated\n');
    expect(out).toContain('r0     any      any   /r0   board     public\n');
  });

  it('warns of a stripped prefix that leads to what another route protects, and says where it stands', async () => {
    const { code, out, err } = await runCommandLine(['check', '--config', 'open.yaml'], { folder });
    expect([code, out.split('\n')[0]]).toEqual([0, 'open.yaml is fine']);
    expect(err).toBe(
      `WARNING: open.yaml:2:104: routes[0].rewrite.stripPrefix: GET /open/x reaches upstream "board" as /x, which route "v2" protects as /v2/x: give route "open" a narrower path, or the same rule
WARNING: open.yaml:2:104: routes[0].rewrite.stripPrefix: GET /open/admin/x reaches upstream "board" as /admin/x, which route "admin" protects: give route "open" a narrower path, or the same rule
`,
    );
  });

  it('names ten such pairs at most', async () => {
    const { code, err } = await runCommandLine(['check', '--config', 'wide-open.yaml'], { folder });
    const lines = err.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, 11]);
    expect(lines[0]).toBe(
      'WARNING: wide-open.yaml:1:9: routes: there are more such pairs than the 10 named here',
    );
  });

  it('lists all that is wrong with a bad one, on standard error', async () => {
    expect(await runCommandLine(['check', '-c', 'bad.yaml'], { folder })).toEqual({
      code: 2,
      out: '',
      err: `bad.yaml:1:15: log.level: expected "fatal", "error", "warn", "info", "debug" or "silent", got "loud"
bad.yaml:2:1: litsen: unknown key, expected server, admin, userPools, tokenCache, identityPools, credentialCache, upstreams, routes, enforce, rateLimits, cors, tokenSources, identity, metrics or log
2 problems
`,
    });
  });

  it('does not count one problem', async () => {
    const { err } = await runCommandLine(['check', '-c', 'one.yaml'], { folder });
    expect(err).toBe('one.yaml:1:1: admn: unknown key, did you mean "admin"?\n');
  });

  it('checks the environment where there is no file', async () => {
    const environment = { USER_POOL_ID: 'us-east-1_Abc', CLIENT_IDS: 'app', UPSTREAM_URL: 'http://board' };
    const { code, out } = await runCommandLine(['check'], { folder, environment });
    expect([code, out.split('\n')[0]]).toEqual([0, 'the environment is fine']);
  });

  it('says what to do where there is nothing', async () => {
    expect(await runCommandLine(['check'], { folder })).toEqual({
      code: 2,
      out: '',
      err: `there is no configuration. Either
  write a file to start from:   cognito-auth-proxy init --output cognito-auth-proxy.yaml
  name one:                     cognito-auth-proxy --config FILE
  or set in the environment:    USER_POOL_ID, CLIENT_IDS and UPSTREAM_URL
Looked for COGNITO_AUTH_PROXY_CONFIG, /etc/cognito-auth-proxy/config.yaml and ./cognito-auth-proxy.yaml.
`,
    });
  });
});

describe('check --online', () => {
  async function checkWith(probes: readonly Probe[], ...args: string[]) {
    const lines: string[] = [];
    let code = -1;
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    const context = {
      environment: {},
      folder,
      out: (text: string) => void lines.push(text),
      err: (text: string) => void lines.push(`! ${text}`),
      signal: new AbortController().signal,
      name: 'cognito-auth-proxy',
      onHangup: () => undefined,
    };
    checkCommand(probes)(program, context, (result) => {
      code = result;
    });
    await program.parseAsync(['check', '-c', 'good.yaml', ...args], { from: 'user' });
    return { code, lines: lines.slice(1) };
  }
  const keys: Probe = async (config) =>
    Object.keys(config.userPools).map((name) => ({ subject: `keys of ${name}`, ok: true, detail: '2 keys' }));
  const upstreams: Probe = async () => [{ subject: 'upstream board', ok: false, detail: 'refused' }];

  it('tells what each probe saw', async () => {
    expect(await checkWith([keys], '--online')).toEqual({
      code: 0,
      lines: ['ok  keys of main: 2 keys\n', 'ok  keys of partners: 2 keys\n'],
    });
  });

  it('fails when one of them fails', async () => {
    expect(await checkWith([keys, upstreams], '--online')).toMatchObject({
      code: 1,
      lines: [expect.anything(), expect.anything(), '! FAILED  upstream board: refused\n'],
    });
  });

  it('asks nobody without the option', async () => {
    expect(await checkWith([upstreams])).toEqual({ code: 0, lines: [] });
  });

  it('is not offered where there is nothing to look with', async () => {
    await expect(checkWith([], '--online')).rejects.toThrow("unknown option '--online'");
  });
});
