import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ArrivedHead, createSignatureVerifier } from '../../../src/dev/verify-signature.ts';
import { bearer } from '../../support/proxy.ts';
import { openRaw } from '../../support/raw-http.ts';
import { startSigningStack } from '../../support/signing-stack.ts';

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a request that is sent to another address', () => {
  it('is signed again, for that one', async () => {
    const port = await deadPort();
    const stack = await startSigningStack({ otherAddresses: [`http://127.0.0.1:${port}/prod`] });
    try {
      const { proxy, upstream, idToken } = stack;
      for (let i = 0; i < 4; i++) {
        const answer = await proxy.request('GET /items?b=1&a=2 HTTP/1.1', [
          bearer(idToken()),
          'X-A: 1',
          'X-A: 2',
        ]);
        expect(answer.status, answer.text).toBe(200);
        expect(upstream.last.target).toBe('/items?b=1&a=2');
        expect(upstream.last.header('host')).toBe(new URL(upstream.origin).host);
        expect(upstream.last.header('x-a')).toBe('1, 2');
        expect(upstream.last.header('x-amz-date')).toMatch(/^\d{8}T\d{6}Z$/);
      }
      expect(upstream.requests.map((request) => request.verdict)).toEqual(['ok', 'ok', 'ok', 'ok']);
    } finally {
      await stack.stop();
    }
  });
});

describe('the host that is signed', () => {
  it.each([
    ['upstream', 'api.example.com:8443', null],
    ['client', 'api.example.com:8443', 'api.example.com:8443'],
    ['client', 'api.example.com', 'api.example.com'],
  ] as const)('is the one that is sent (%s, %s)', async (host, sent, expected) => {
    const stack = await startSigningStack({ host });
    try {
      const { proxy, upstream, idToken } = stack;
      const answer = await proxy.request('GET /items HTTP/1.1', [`Host: ${sent}`, bearer(idToken())]);
      expect(answer.status, answer.text).toBe(200);
      expect(upstream.last.header('host')).toBe(expected ?? new URL(upstream.origin).host);
      expect(upstream.last.verdict).toBe('ok');
    } finally {
      await stack.stop();
    }
  });
});

describe('a WebSocket to an upstream that trusts signatures only', () => {
  it('is opened with a signature, and by nobody without credentials', async () => {
    const heads: ArrivedHead[] = [];
    const socketServer = createHttpServer();
    socketServer.on('upgrade', (request, socket) => {
      const headers: [string, string][] = [];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
      }
      heads.push({ method: request.method ?? '', target: request.url ?? '', headers });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    socketServer.listen(0, '127.0.0.1');
    await once(socketServer, 'listening');
    const { port } = socketServer.address() as AddressInfo;
    const stack = await startSigningStack({ addresses: [`http://127.0.0.1:${port}`] });
    try {
      const { proxy, emulator, idToken } = stack;
      const upgrade = (lines: readonly string[]): string =>
        [
          'GET /ws?x=1 HTTP/1.1',
          'Host: api.example.com',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          ...lines,
          '',
          '',
        ].join('\r\n');

      const connection = await openRaw(proxy.origin);
      connection.send(upgrade([bearer(idToken())]));
      expect((await connection.head()).status).toBe(101);
      connection.send('ping');
      expect((await connection.take(4)).toString()).toBe('ping');
      connection.close();
      const [head] = heads;
      if (head === undefined) throw new Error('no upgrade has arrived');
      const verifier = createSignatureVerifier({
        credentialsOf: (id) => emulator.credentialsOf(id),
        now: Date.now,
      });
      expect(verifier.verify(head)).toMatchObject({ valid: true });

      const refused = await openRaw(proxy.origin);
      refused.send(upgrade([]));
      expect((await refused.response()).status).toBe(401);
      refused.close();
      expect(heads.length).toBe(1);
    } finally {
      await stack.stop();
      socketServer.closeAllConnections();
      socketServer.close();
    }
  });
});

describe('calls to AWS', () => {
  it('go through the proxy that the environment names', async () => {
    const asked: string[] = [];
    // A proxy of plain http is sent the whole URL.
    const outward = createHttpServer((request, response) => {
      asked.push(request.url ?? '');
      const headers = { ...request.headers } as Record<string, string>;
      delete headers['connection'];
      delete headers['host'];
      delete headers['proxy-connection'];
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        void fetch(request.url ?? '', { method: 'POST', headers, body }).then(async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        });
      });
    });
    outward.listen(0, '127.0.0.1');
    await once(outward, 'listening');
    const { port } = outward.address() as AddressInfo;
    const stack = await startSigningStack({
      environment: { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '' },
    });
    try {
      const { proxy, emulator, idToken } = stack;
      const answer = await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
      expect(answer.status, answer.text).toBe(200);
      const calls = asked.filter((url) => url.startsWith(emulator.origin));
      expect(calls).toEqual([`${emulator.origin}/`, `${emulator.origin}/`]);
    } finally {
      await stack.stop();
      outward.closeAllConnections();
      outward.close();
    }
  });
});
