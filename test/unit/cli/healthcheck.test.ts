import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askAlive } from '../../../src/cli/healthcheck.ts';
import { runCommandLine } from '../../support/command-line.ts';
import { complete } from '../../support/config-text.ts';

let folder: string;
let server: Server;
let port: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'healthcheck-test-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function serve(listener: RequestListener): Promise<void> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
}

const alive: RequestListener = (request, response) => {
  response.writeHead(request.url === '/livez' && request.method === 'GET' ? 200 : 404).end('ok');
};

function check(text: string, environment: Record<string, string> = {}) {
  writeFileSync(join(folder, 'c.yaml'), text);
  return runCommandLine(['healthcheck', '--config', 'c.yaml'], { folder, environment });
}

describe('healthcheck', () => {
  it.each(['127.0.0.1', '0.0.0.0', '', '[::]'])(
    'finds a proxy whose admin port listens on %j',
    async (host) => {
      await serve(alive);
      expect(await check(complete(`admin: { listen: "${host}:${port}" }`))).toEqual({
        code: 0,
        out: '',
        err: '',
      });
    },
  );

  it('finds it by the environment', async () => {
    await serve(alive);
    const environment = { ADMIN_LISTEN: `127.0.0.1:${port}` };
    expect((await check(complete(''), environment)).code).toBe(0);
    expect((await runCommandLine(['healthcheck'], { folder, environment })).code).toBe(0);
  });

  it.each([
    ['other parts of the file are broken', 'admin: { listen: "127.0.0.1:PORT" }\nroutes: nonsense\n'],
    ['the end of the file is not YAML', 'admin: { listen: "127.0.0.1:PORT" }\nroutes: ]\n'],
  ])('does not mind that %s by now', async (_, text) => {
    await serve(alive);
    expect(await check(text.replace('PORT', String(port)))).toEqual({ code: 0, out: '', err: '' });
  });

  it('fails when nobody listens', async () => {
    await serve(alive);
    server.close();
    await once(server, 'close');
    expect(await check(complete(`admin: { listen: "127.0.0.1:${port}" }`))).toEqual({
      code: 1,
      out: '',
      err: `not alive: 127.0.0.1:${port}: ECONNREFUSED\n`,
    });
    await serve(alive);
  });

  it.each([[500], [404], [204]])('fails on %i', async (status) => {
    await serve((_, response) => response.writeHead(status).end());
    expect((await check(complete(`admin: { listen: "127.0.0.1:${port}" }`))).err).toBe(
      `not alive: 127.0.0.1:${port} answered ${status}\n`,
    );
  });

  it('fails when there is no answer in time', async () => {
    await serve(() => {});
    expect(await askAlive({ host: '127.0.0.1', port }, 30)).toBe(`127.0.0.1:${port}: no answer within 30 ms`);
  });

  it('fails when the answer breaks off', async () => {
    await serve((_, response) => {
      response.writeHead(200, { 'content-length': 2 }).write('o', () => response.destroy());
    });
    expect(await askAlive({ host: '127.0.0.1', port })).toBe(`127.0.0.1:${port}: ECONNRESET`);
  });

  it('fails when the answer has no end in time', async () => {
    await serve((_, response) => void response.writeHead(200).write('o'));
    expect(await askAlive({ host: '127.0.0.1', port }, 30)).toBe(`127.0.0.1:${port}: no answer within 30 ms`);
  });
});
