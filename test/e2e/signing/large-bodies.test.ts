import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { HttpRequest } from '@smithy/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type IdentityPoolEmulator,
  startIdentityPoolEmulator,
} from '../../../src/dev/identity-pool-emulator.ts';
import { type CompiledProgram, compileProgram } from '../../support/compiled.ts';
import { type Program, runProgram } from '../../support/program.ts';
import { type SignedUpstream, startSignedUpstream } from '../../support/signed-upstream.ts';
import { IDENTITY_POOL_ID, USER_ROLE } from '../../support/signing-stack.ts';
import { idClaims, keySet, makeKey, signToken } from '../../support/token-factory.ts';

const MEGABYTE = 1_000_000;
const LENGTH = 100 * MEGABYTE;
const PIECE = Buffer.alloc(MEGABYTE, 'sixteen bytes in ');

const userPoolId = 'us-east-1_Large0001';
const subject = {
  issuer: `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`,
  clientId: 'client1',
};

function* pieces(): Generator<Buffer> {
  for (let sent = 0; sent < LENGTH; sent += PIECE.length) yield PIECE;
}

const CONTENT_HASH = (() => {
  const hash = createHash('sha256');
  for (const piece of pieces()) hash.update(piece);
  return hash.digest('hex');
})();

/** A proxy as it is shipped, in a process whose memory is its own. */
describe('a hundred megabytes', { timeout: 60_000 }, () => {
  const key = makeKey();
  const token = signToken(key, idClaims(subject));
  let folder: string;
  let emulator: IdentityPoolEmulator;
  let upstream: SignedUpstream;
  let compiled: CompiledProgram;
  let program: Program;
  let proxy: string;
  let admin: string;
  let memory: { stop(): Promise<number> };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'large-bodies-'));
    emulator = await startIdentityPoolEmulator({
      pools: [
        {
          identityPoolId: IDENTITY_POOL_ID,
          providers: {
            [`cognito-idp.us-east-1.amazonaws.com/${userPoolId}`]: {
              issuer: subject.issuer,
              audiences: null,
              keys: () => [key.jwk],
            },
          },
          authenticatedRole: USER_ROLE,
        },
      ],
    });
    upstream = await startSignedUpstream({ credentialsOf: (id) => emulator.credentialsOf(id) });
    upstream.answer = (request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-length': LENGTH });
        Readable.from(pieces()).pipe(response);
      } else {
        response.writeHead(200, { etag: `"${request.contentHash}"` }).end();
      }
    };
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify(keySet(key)));
    const modes = ['hash', 'unsigned', 'stream'] as const;
    const config = {
      server: { listen: '127.0.0.1:0', shutdown: { unready: '0s', drain: '1s' } },
      admin: { listen: '127.0.0.1:0' },
      log: { level: 'info' },
      userPools: {
        main: {
          userPoolId,
          clientIds: ['client1'],
          tokenUse: ['id'],
          keys: { file: 'jwks.json' },
        },
      },
      identityPools: {
        main: { identityPoolId: IDENTITY_POOL_ID, userPool: 'main', endpoint: emulator.origin },
      },
      upstreams: Object.fromEntries(
        modes.map((payload) => [
          payload,
          {
            url: upstream.origin,
            sign: { service: 's3', region: 'us-east-1', credentials: { identityPool: 'main' }, payload },
          },
        ]),
      ),
      routes: modes.map((mode) => ({
        id: mode,
        match: { path: `/${mode}/{key+}` },
        allow: 'authenticated',
        upstream: mode,
      })),
    };
    writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
    compiled = compileProgram();
    program = runProgram(
      process.execPath,
      [compiled.entry, 'serve', '--config', join(folder, 'config.yaml')],
      {
        env: compiled.environment,
      },
    );
    const listening = JSON.parse(await program.line()) as { proxy: string; admin: string };
    ({ proxy, admin } = listening);
    while ((await fetch(`${admin}/readyz`)).status !== 200);
    memory = watchMemory(admin);
  });
  afterAll(async () => {
    program?.signal('SIGTERM');
    await program?.exited;
    await upstream?.stop();
    await emulator?.stop();
    compiled?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function put(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const outgoing = httpRequest(`${proxy}${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-length': LENGTH, ...headers },
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    await pipeline(Readable.from(pieces()), outgoing);
    const [answer] = await answered;
    answer.resume();
    return answer;
  }

  function expectArrived(signedAs: string): void {
    const { last } = upstream;
    expect(last.verdict).toBe('ok');
    expect(last.header('x-amz-content-sha256')).toBe(signedAs);
    expect(last.contentLength).toBe(LENGTH);
    expect(last.contentHash).toBe(CONTENT_HASH);
  }

  it.each([
    ['/hash/object', { 'x-amz-content-sha256': CONTENT_HASH }, CONTENT_HASH],
    ['/unsigned/object', {}, 'UNSIGNED-PAYLOAD'],
    ['/stream/object', {}, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
  ])('go up to %s', async (path, headers, signedAs) => {
    const answer = await put(path, headers);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers.etag).toBe(`"${CONTENT_HASH}"`);
    expectArrived(signedAs);
  });

  it('do not go up to /hash/object without their hash', async () => {
    const outgoing = httpRequest(`${proxy}/hash/object`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-length': LENGTH, expect: '100-continue' },
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    outgoing.flushHeaders();
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    outgoing.destroy();
  });

  it.each(['/hash/object', '/unsigned/object', '/stream/object'])('come down from %s', async (path) => {
    const answer = await fetch(`${proxy}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const hash = createHash('sha256');
    for await (const part of answer.body ?? []) hash.update(part as Uint8Array);
    expect(hash.digest('hex')).toBe(CONTENT_HASH);
    expect(upstream.last.verdict).toBe('ok');
  });

  it.each([
    ['unsigned', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ['stream', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
  ])('go up by the AWS SDK, which frames them in its own way, to /%s', async (bucket, signedAs) => {
    const client = new S3Client({
      endpoint: proxy,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
      signer: {
        async sign(request: HttpRequest) {
          request.headers['authorization'] = `Bearer ${token}`;
          return request;
        },
      },
    });
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'a folder/an+object ü.bin',
        Body: Readable.from(pieces()),
        ContentLength: LENGTH,
        ChecksumAlgorithm: 'CRC32',
      }),
    );
    expectArrived(signedAs);
    expect(upstream.last.target).toBe(`/${bucket}/a%20folder/an%2Bobject%20%C3%BC.bin?x-id=PutObject`);
    expect(upstream.last.header('x-amz-trailer')).toBe('x-amz-checksum-crc32');
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'x' }));
    let length = 0;
    for await (const part of Body as Readable) length += (part as Buffer).length;
    expect(length).toBe(LENGTH);
    client.destroy();
  });

  it('take no more memory than any request, whichever way they go', async () => {
    // Runs last: what was the most over all of the above.
    const most = await memory.stop();
    expect(most).toBeGreaterThan(10 * MEGABYTE);
    expect(most).toBeLessThan(200 * MEGABYTE);
    process.stdout.write(`resident memory at most: ${(most / MEGABYTE).toFixed(0)} MB\n`);
  });
});

/** Looks at the resident memory of the process behind an admin port until it is told to stop; gives the most it saw. */
function watchMemory(admin: string): { stop(): Promise<number> } {
  let most = 0;
  let going = true;
  const watching = (async () => {
    while (going) {
      const text = await (await fetch(`${admin}/metrics`)).text();
      most = Math.max(most, Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? 0));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return most;
  })();
  return {
    stop() {
      going = false;
      return watching;
    },
  };
}
