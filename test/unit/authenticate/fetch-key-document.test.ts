import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKeyDocumentFetcher } from '../../../src/authenticate/fetch-key-document.ts';
import { KeysAbsentError } from '../../../src/core/ports.ts';
import { parseHead } from '../../support/http-message.ts';
import { type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { keySet, makeKey } from '../../support/token-factory.ts';

const key = makeKey('one', 1024);
const PATIENCE = 10_000;

let server: KeyServer;
let url: string;

beforeEach(async () => {
  server = await startKeyServer();
  server.publish([key]);
  url = `${server.issuer('us-east-1_Test')}/.well-known/jwks.json`;
});
afterEach(() => server.stop());

const fetch = createKeyDocumentFetcher({});

/** Answers every request so, on a free port. */
async function serve(listener: RequestListener): Promise<string> {
  const http = createServer(listener).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
}

describe('fetching a key set', () => {
  it('brings the document as it is', async () => {
    expect(await fetch(url, PATIENCE)).toEqual({ document: JSON.stringify(keySet(key)), fresh: true });
  });

  it('asks for JSON, uncompressed', async () => {
    let headers = {};
    const address = await serve((request, response) => {
      headers = request.headers;
      response.end('{}');
    });
    await fetch(address, PATIENCE);
    expect(headers).toMatchObject({ accept: 'application/json', 'accept-encoding': 'identity' });
  });

  it.each([
    ['held', 'no answer within 200 ms'],
    ['drip', 'no answer within 200 ms'],
  ] as const)('gives up an answer that is %s', async (mood, message) => {
    server.behave(mood);
    await expect(fetch(url, 200)).rejects.toThrow(message);
  });

  it('gives up an answer without end at 150 kB', async () => {
    server.behave('huge');
    await expect(fetch(url, PATIENCE)).rejects.toThrow('the key set is larger than 150000 bytes');
    // What the network itself can hold is on its way already.
    expect(server.bytesSent).toBeLessThan(20_000_000);
  });

  it.each([
    [150_000, true],
    [150_001, false],
  ])('takes %i bytes: %s', async (size, taken) => {
    const address = await serve((_, response) => response.end('x'.repeat(size)));
    const fetched = fetch(address, PATIENCE).then(({ document }) => document.length);
    if (taken) expect(await fetched).toBe(size);
    else await expect(fetched).rejects.toThrow('the key set is larger than 150000 bytes');
  });

  it('follows no redirect', async () => {
    server.behave('redirect');
    await expect(fetch(url, PATIENCE)).rejects.toThrow('the key endpoint answered 302');
    expect(server.requests).toBe(1);
  });

  it.each([
    [400, true],
    [401, true],
    [403, true],
    [404, true],
    [410, true],
    [408, false],
    [429, false],
    [204, false],
    [206, false],
    [304, false],
    [500, false],
    [503, false],
  ])('takes %i for an issuer without keys: %s', async (status, absent) => {
    const address = await serve((_, response) => response.writeHead(status).end());
    const failure: unknown = await fetch(address, PATIENCE).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(absent ? KeysAbsentError : Error);
    expect(failure instanceof KeysAbsentError).toBe(absent);
    expect((failure as Error).message).toBe(`the key endpoint answered ${status}`);
  });

  it('fails when the connection is reset', async () => {
    server.behave('reset');
    await expect(fetch(url, PATIENCE)).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  it('fails when the answer is cut short', async () => {
    const address = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"keys":[');
      response.socket?.end();
    });
    await expect(fetch(address, PATIENCE)).rejects.toThrow('aborted');
  });

  it('fails when nobody listens', async () => {
    await server.down();
    await expect(fetch(url, PATIENCE)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('reading a key set on disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each(['jwks.json', 'a b#c%20.json', 'schlüssel.json'])('brings %s as it is', async (name) => {
    const path = join(folder, name);
    await writeFile(path, '{"keys":[]}');
    expect(await fetch(pathToFileURL(path).href, 0)).toEqual({ document: '{"keys":[]}', fresh: true });
  });

  it('fails when there is no such file, which is no sign that there are no keys', async () => {
    const failure: unknown = await fetch(pathToFileURL(join(folder, 'none')).href, 0).catch((error) => error);
    expect(failure).not.toBeInstanceOf(KeysAbsentError);
    expect((failure as Error).message).toContain('ENOENT');
  });

  it('fails at 150 kB', async () => {
    const path = join(folder, 'huge.json');
    await writeFile(path, 'x'.repeat(150_001));
    await expect(fetch(pathToFileURL(path).href, 0)).rejects.toThrow(
      'the key set is larger than 150000 bytes',
    );
  });
});

describe('with an outbound proxy', () => {
  /** A proxy that writes down what it is asked for, and refuses. */
  async function startOutboundProxy(): Promise<{ origin: string; requestLines: string[] }> {
    const requestLines: string[] = [];
    const tcp = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const head = parseHead(bytes);
        if (head !== undefined) requestLines.push(head.startLine);
        socket.end('HTTP/1.1 503 Scripted\r\nContent-Length: 0\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    onTestFinished(() => void tcp.close());
    return { origin: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`, requestLines };
  }

  it.each(['HTTPS_PROXY', 'https_proxy'])('%s has https addresses fetched through it', async (variable) => {
    const { origin, requestLines } = await startOutboundProxy();
    const fetchThrough = createKeyDocumentFetcher({ [variable]: origin });
    await expect(fetchThrough('https://cognito.test/keys', PATIENCE)).rejects.toThrow();
    expect(requestLines).toEqual(['CONNECT cognito.test:443 HTTP/1.1']);
  });

  it('HTTP_PROXY has http addresses fetched through it', async () => {
    const { origin, requestLines } = await startOutboundProxy();
    const fetchThrough = createKeyDocumentFetcher({ HTTP_PROXY: origin });
    await expect(fetchThrough('http://cognito.test/keys', PATIENCE)).rejects.toThrow('answered 503');
    expect(requestLines).toEqual(['GET http://cognito.test/keys HTTP/1.1']);
  });

  it('NO_PROXY names what is fetched without it', async () => {
    const { origin, requestLines } = await startOutboundProxy();
    const fetchThrough = createKeyDocumentFetcher({ HTTP_PROXY: origin, NO_PROXY: 'other.test,127.0.0.1' });
    expect((await fetchThrough(url, PATIENCE)).document).toBe(JSON.stringify(keySet(key)));
    expect(requestLines).toEqual([]);
  });

  it('is only what the environment given says', async () => {
    const { origin, requestLines } = await startOutboundProxy();
    process.env['HTTP_PROXY'] = origin;
    onTestFinished(() => {
      delete process.env['HTTP_PROXY'];
    });
    expect((await createKeyDocumentFetcher({})(url, PATIENCE)).document).toContain('keys');
    expect(requestLines).toEqual([]);
  });
});
