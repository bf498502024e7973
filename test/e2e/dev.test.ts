import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { DevSummary } from '../../src/dev/dev-stack.ts';
import { type Program, runProgram } from '../support/program.ts';
import { openRaw } from '../support/raw-http.ts';
import { startTraceCollector } from '../support/trace-collector.ts';
import { tracingTo } from '../support/traced-proxy.ts';

const ENTRY = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const FREE_PORTS = ['--port', '0', '--admin-port', '0', '--cognito-port', '0', '--upstream-port', '0'];

const runDev = (...args: string[]): Program => runProgram(process.execPath, [ENTRY, 'dev', ...args]);

describe('dev --json', () => {
  let program: Program;
  let stack: DevSummary;

  beforeAll(async () => {
    program = runDev('--json', ...FREE_PORTS);
    stack = JSON.parse(await program.line()) as DevSummary;
  });
  afterAll(() => program.signal('SIGKILL'));

  type Caller = 'nobody' | 'alice' | 'bob';
  const authorizationOf = (caller: Caller): Record<string, string> =>
    caller === 'nobody' ? {} : { authorization: `Bearer ${stack.users[caller].accessToken}` };

  it.each([
    ['nobody', 'GET', '/public', 200, undefined],
    ['nobody', 'GET', '/posts', 401, 'AUTHN_TOKEN_MISSING'],
    ['nobody', 'POST', '/posts', 401, 'AUTHN_TOKEN_MISSING'],
    ['alice', 'GET', '/posts', 200, undefined],
    ['alice', 'POST', '/posts', 200, undefined],
    ['bob', 'GET', '/posts', 200, undefined],
    ['bob', 'POST', '/posts', 403, 'AUTHZ_GROUP_REQUIRED'],
    ['alice', 'DELETE', '/posts', 405, 'ROUTE_METHOD_NOT_ALLOWED'],
    ['alice', 'GET', '/users/alice/profile', 200, undefined],
    ['bob', 'GET', '/users/bob/profile', 200, undefined],
    ['bob', 'GET', '/users/alice/profile', 403, 'AUTHZ_CLAIM_REQUIRED'],
    ['nobody', 'GET', '/users/alice/profile', 401, 'AUTHN_TOKEN_MISSING'],
    ['alice', 'GET', '/elsewhere', 404, 'ROUTE_NOT_FOUND'],
  ] as const)('%s %s %s: %i', async (caller, method, path, status, code) => {
    const answer = await fetch(stack.proxy + path, { method, headers: authorizationOf(caller) });
    const body = (await answer.json()) as { code?: string };
    expect([answer.status, body.code]).toEqual([status, code]);
  });

  it.each([
    ['alice', 'items', 'GET', undefined],
    ['alice', 'a%20b+c?x=1&y=%2F&x=2', 'PUT', 'hello'],
    ['bob', 'items/1', 'POST', '{"a":1}'],
  ] as const)('signs for %s at /signed/%s', async (caller, path, method, body) => {
    const { accessToken, idToken } = stack.users[caller];
    for (const headers of [
      { authorization: `Bearer ${idToken}` },
      { authorization: `Bearer ${accessToken}`, 'x-id-token': idToken },
    ]) {
      const init = body === undefined ? { method, headers } : { method, headers, body };
      const answer = await fetch(`${stack.proxy}/signed/${path}`, init);
      const seen = (await answer.json()) as { signature: object; headers: [string, string][] };
      expect(answer.status).toBe(200);
      expect(seen.signature).toEqual({
        present: true,
        valid: true,
        accessKeyId: expect.stringMatching(/^ASIA/),
      });
      expect(JSON.stringify(seen.headers)).not.toContain(idToken);
    }
  });

  it('signs for nobody without an ID token', async () => {
    for (const [headers, code] of [
      [{}, 'AUTHN_TOKEN_MISSING'],
      [authorizationOf('alice'), 'SIGN_ID_TOKEN_REQUIRED'],
    ] as const) {
      const answer = await fetch(`${stack.proxy}/signed/items`, { headers });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, code]);
    }
  });

  it('says of what is not signed that it is not', async () => {
    const answer = await fetch(`${stack.proxy}/public`);
    expect(await answer.json()).toMatchObject({ signature: { present: false } });
  });

  it('takes ID tokens too, and tells the upstream who called, without the token', async () => {
    const headers = { authorization: `Bearer ${stack.users.alice.idToken}` };
    const answer = await fetch(`${stack.proxy}/posts`, { method: 'POST', headers, body: 'hello' });
    const seen = (await answer.json()) as { headers: [string, string][]; body: string };
    const received = new Map(seen.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(seen.body).toBe('hello');
    expect(received.get('x-cognito-username')).toBe('alice');
    expect(received.get('x-cognito-groups')).toBe('writers');
    expect(received.get('x-cognito-token-use')).toBe('id');
    expect(received.has('authorization')).toBe(false);
  });

  it('carries WebSockets for those signed in, and for nobody else', async () => {
    const url = `${stack.proxy.replace('http', 'ws')}/ws/echo`;
    const socket = new WebSocket(url, { headers: authorizationOf('bob') });
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    socket.terminate();

    const refused = new WebSocket(url);
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 401');
  });

  it('is ready, and counts what it decided', async () => {
    expect((await fetch(`${stack.admin}/readyz`)).status).toBe(200);
    await fetch(`${stack.proxy}/posts`, { headers: authorizationOf('alice') });
    await fetch(`${stack.proxy}/posts`);
    const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
    const decisions = metrics
      .split('\n')
      .filter((line) => /^cognito_auth_proxy_decisions_total\{/.test(line));
    expect(decisions.some((line) => line.includes('decision="allow"'))).toBe(true);
    expect(decisions.some((line) => line.includes('code="AUTHN_TOKEN_MISSING"'))).toBe(true);
  });

  it('says one line and no more, and on Ctrl-C ends with all that it started', async () => {
    program.signal('SIGINT');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(await program.rest()).toBe('');
    for (const origin of [stack.proxy, stack.admin, stack.cognito, stack.upstream]) {
      await expect(openRaw(origin)).rejects.toThrow('ECONNREFUSED');
    }
  });
});

describe('dev', () => {
  it('traces where the environment says so', async () => {
    const collector = await startTraceCollector();
    const program = runProgram(process.execPath, [ENTRY, 'dev', '--json', ...FREE_PORTS], {
      env: tracingTo(collector),
    });
    const stack = JSON.parse(await program.line()) as DevSummary;
    expect((await fetch(`${stack.proxy}/public`)).status).toBe(200);
    await collector.until(() => collector.spans.some(({ name }) => name === 'GET /public'));
    program.signal('SIGTERM');
    expect((await program.exited).code).toBe(0);
    await collector.stop();
  });

  it('prints what to try, and ends on SIGTERM', async () => {
    const program = runDev(...FREE_PORTS);
    await program.said('starting the proxy');
    let guide = '';
    while (!guide.includes('Ctrl-C stops it all.')) guide += `${await program.line()}\n`;
    expect(guide).toMatch(/^export ALICE=\S+\nexport BOB=\S+$/m);
    expect(guide).toMatch(/^# 200: public\ncurl -i http:\/\/127\.0\.0\.1:\d+\/public$/m);
    program.signal('SIGTERM');
    expect((await program.exited).code).toBe(0);
  });

  it('says which port is taken and how to move it', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const program = runDev(...FREE_PORTS, '--upstream-port', String(port));
    expect((await program.exited).code).toBe(1);
    expect(program.complaints).toContain(
      `port ${port} (upstream) is in use: stop what listens there, or move it with --upstream-port PORT (0: a free one)\n`,
    );
    squatter.close();
  });

  it('says what is wrong with a configuration of the user, before anything is started', async () => {
    const program = runDev(...FREE_PORTS, '--config', '/nowhere/proxy.yaml');
    expect((await program.exited).code).toBe(2);
    expect(program.complaints).toContain('/nowhere/proxy.yaml');
    expect(program.complaints).not.toContain('starting');
  });

  it('refuses what is no port', async () => {
    const program = runDev('--port', 'http');
    expect((await program.exited).code).toBe(2);
    expect(program.complaints).toContain('expected a port from 0 to 65535');
  });
});
