import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeKeys, probeUpstreams } from '../../../src/cli/online-probes.ts';
import { PAIR_A, PAIR_B } from '../../support/certificates.ts';
import { configOf } from '../../support/config-text.ts';
import { type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { makeKey } from '../../support/token-factory.ts';

const CONTEXT = {
  environment: {},
  folder: '/',
  out: () => undefined,
  err: () => undefined,
  signal: new AbortController().signal,
  name: 'cognito-auth-proxy',
  onHangup: () => undefined,
};

describe('the keys of the pools', () => {
  let keys: KeyServer;
  beforeEach(async () => {
    keys = await startKeyServer();
  });
  afterEach(() => keys.stop());

  const probe = async (settings = '') => {
    const config = configOf(
      `userPools: { main: { userPoolId: us-east-1_Test, clientIds: [app], issuer: "${keys.issuer('us-east-1_Test')}"${settings} } }`,
      { dev: true },
    );
    const [result, ...others] = await probeKeys(config, CONTEXT);
    expect(others).toEqual([]);
    expect(result?.subject).toBe('keys of user pool main');
    return [result?.ok, result?.detail.replaceAll(keys.origin, 'ORIGIN')];
  };
  const URL = 'ORIGIN/us-east-1_Test/.well-known/jwks.json';

  it('are counted where they are', async () => {
    keys.publish([makeKey(), makeKey()]);
    expect(await probe()).toEqual([true, `2 keys at ${URL}`]);
    expect(keys.requests).toBe(1);
  });

  it.each([
    ['forbidden', `the key endpoint answered 403 (${URL})`],
    ['error', `${URL}: the key endpoint answered 500`],
    ['redirect', `${URL}: the key endpoint answered 302`],
    ['huge', `${URL}: the key set is larger than 150000 bytes`],
    ['reset', `${URL}: read ECONNRESET`],
  ] as const)('are missed where it is %s', async (mood, detail) => {
    keys.behave(mood);
    expect(await probe()).toEqual([false, detail]);
  });

  it('are missed where there is no key that can be used, or no JSON', async () => {
    expect(await probe()).toEqual([false, expect.stringMatching(/: the key set holds no usable key/)]);
    keys.behave('garbage');
    expect(await probe()).toEqual([false, expect.stringMatching(/ is not valid JSON$/)]);
  });

  it('are missed where nobody answers in time, or listens', async () => {
    keys.behave('held');
    expect(await probe(', keys: { timeout: 50ms }')).toEqual([false, `${URL}: no answer within 50 ms`]);
    keys.release();
    await keys.down();
    expect(await probe()).toEqual([false, expect.stringMatching(/: connect ECONNREFUSED /)]);
  });

  it('are asked for in both forms of issuer, through the web proxy that the environment names', async () => {
    const asked: string[] = [];
    // Both names lead here by way of a web proxy, which is asked to connect and refuses.
    const webProxy = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        asked.push(/^CONNECT (\S+)/.exec(String(bytes))?.[1] ?? '');
        socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(webProxy, 'listening');
    const { port } = webProxy.address() as { port: number };
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    const [result] = await probeKeys(configOf(''), { ...CONTEXT, environment });
    expect(result?.ok).toBe(false);
    expect(result?.detail.split('; ')).toHaveLength(2);
    expect(asked).toEqual([
      'cognito-idp.us-east-1.amazonaws.com:443',
      'issuer-cognito-idp.us-east-1.amazonaws.com:443',
    ]);
    webProxy.close();
  });
});

describe('the upstreams', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  const probe = async (upstream: string) => {
    const results = await probeUpstreams(configOf(`upstreams: { board: ${upstream} }`));
    return results.map(({ subject, ok, detail }) => [subject, ok, detail]);
  };

  it('are connected to, each address once, and asked nothing', async () => {
    const heard: Buffer[] = [];
    const listener = (socket: Socket): void =>
      void socket.on('data', (bytes) => heard.push(bytes)).on('error', () => undefined);
    const first = await listen(createTcpServer(listener));
    const second = await listen(createTcpServer(listener));
    expect(await probe(`{ urls: ["http://127.0.0.1:${first}/base", "http://127.0.0.1:${second}"] }`)).toEqual(
      [
        [`upstream board at http://127.0.0.1:${first}`, true, 'connected'],
        [`upstream board at http://127.0.0.1:${second}`, true, 'connected'],
      ],
    );
    expect(heard).toEqual([]);
  });

  it('are missed where nobody listens', async () => {
    const port = await listen(createTcpServer());
    servers.pop()?.close();
    expect(await probe(`{ url: "http://127.0.0.1:${port}" }`)).toEqual([
      [`upstream board at http://127.0.0.1:${port}`, false, `connect ECONNREFUSED 127.0.0.1:${port}`],
    ]);
  });

  it.each([
    ['the authority that is configured', { ca: PAIR_A.cert }, true, 'connected'],
    ['another authority', { ca: PAIR_B.cert }, false, /^self-signed certificate/],
    ['nobody', {}, false, /^self-signed certificate/],
    [
      'another name',
      { ca: PAIR_A.cert, servername: 'c.test' },
      false,
      /does not match certificate's altnames/,
    ],
    ['the name that is configured', { ca: PAIR_A.cert, servername: 'a.test' }, true, 'connected'],
  ])('behind TLS are trusted by %s', async (_, tls, ok, detail) => {
    const server = createTlsServer(PAIR_A);
    server.on('tlsClientError', () => undefined);
    const port = await listen(server);
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', note);
    const text = Object.keys(tls).length === 0 ? '' : `, tls: ${JSON.stringify(tls)}`;
    const [result] = await probe(`{ url: "https://127.0.0.1:${port}"${text} }`);
    process.off('warning', note);
    expect(result).toEqual([
      `upstream board at https://127.0.0.1:${port}`,
      ok,
      typeof detail === 'string' ? detail : expect.stringMatching(detail),
    ]);
    // An address is no name to ask for in a handshake (RFC 6066 section 3); node warns of it.
    expect(warnings).toEqual([]);
  });

  it('that do not shake hands in time are given up', async () => {
    const port = await listen(createTcpServer((socket) => void socket.on('error', () => undefined).resume()));
    const [result] = await probe(`{ url: "https://127.0.0.1:${port}", timeouts: { connect: 50ms } }`);
    expect(result).toEqual([
      `upstream board at https://127.0.0.1:${port}`,
      false,
      'no connection within 50 ms',
    ]);
  });
});
