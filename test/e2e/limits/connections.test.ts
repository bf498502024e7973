import { afterEach, describe, expect, it } from 'vitest';
import { PAIR_A } from '../../support/certificates.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection } from '../../support/raw-http.ts';

const REQUEST = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const MOST = 3;

let proxy: ProxyUnderTest;
const connections: RawConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await proxy.stop();
});

async function fill(tls = {}): Promise<void> {
  for (let i = 0; i < MOST; i++) {
    const connection = await openRaw(proxy.origin, tls);
    connections.push(connection);
    connection.send(REQUEST);
    expect((await connection.response()).status).toBe(200);
  }
}

describe('client connections', () => {
  it('are as many as the limit says; one more is told so, and those that are there go on', async () => {
    proxy = await startProxy({ server: { limits: { connections: MOST } }, routes: [OPEN_ROUTE] });
    await fill();
    expect(await proxy.metrics()).toMatch(/^cognito_auth_proxy_client_connections 3$/m);

    const refused = await openRaw(proxy.origin);
    const response = await refused.response();
    expect([response.status, response.header('retry-after'), response.json()]).toMatchObject([
      503,
      '1',
      { message: 'Service Unavailable', code: 'LIMIT_CONNECTIONS' },
    ]);
    expect(await refused.closed).toBe('end');
    expect(await proxy.metrics()).toContain(
      'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="LIMIT_CONNECTIONS"} 1',
    );
    for (const connection of connections) {
      connection.send(REQUEST);
      expect((await connection.response()).status).toBe(200);
    }
  });

  it('make room when they are closed', async () => {
    proxy = await startProxy({ server: { limits: { connections: MOST } }, routes: [OPEN_ROUTE] });
    await fill();
    connections.pop()?.close();
    while ((await proxy.request('GET /a HTTP/1.1')).status !== 200);
  });

  it('over TLS are cut at the limit: nobody has agreed on anything that could be said in', async () => {
    proxy = await startProxy({
      server: { limits: { connections: MOST }, tls: PAIR_A },
      routes: [OPEN_ROUTE],
    });
    await fill({ rejectUnauthorized: false });
    await expect(openRaw(proxy.origin, { rejectUnauthorized: false })).rejects.toThrow();
    expect(await proxy.metrics()).toContain(
      'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="LIMIT_CONNECTIONS"} 1',
    );
  });
});
