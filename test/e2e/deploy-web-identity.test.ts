import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ConfigDocument } from '../../src/dev/dev-config.ts';
import {
  type IdentityPoolEmulator,
  startIdentityPoolEmulator,
} from '../../src/dev/identity-pool-emulator.ts';
import { type Program, runProgram } from '../support/program.ts';
import { type SignedUpstream, startSignedUpstream } from '../support/signed-upstream.ts';
import { accessClaims, keySet, makeKey, signToken } from '../support/token-factory.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OVERLAY = join(ROOT, 'deploy/kubernetes/overlays/signing');
const IDENTITY_POOL_ID = 'us-east-1:11111111-2222-3333-4444-555555555555';

let scratch: string;
let emulator: IdentityPoolEmulator;
let upstream: SignedUpstream;
let proxy: Program;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'web-identity-test-'));
  emulator = await startIdentityPoolEmulator({
    pools: [
      {
        identityPoolId: IDENTITY_POOL_ID,
        providers: {},
        authenticatedRole: 'arn:aws:iam::111122223333:role/users',
        guestRole: 'arn:aws:iam::111122223333:role/guests',
      },
    ],
  });
  upstream = await startSignedUpstream({
    credentialsOf: emulator.credentialsOf,
    service: 'execute-api',
    region: 'us-east-1',
  });
});
afterAll(async () => {
  proxy.signal('SIGTERM');
  await proxy.exited;
  await upstream.stop();
  await emulator.stop();
  await rm(scratch, { recursive: true });
});

/** The variables of the container in the overlay. */
async function containerEnvironment(): Promise<Record<string, string>> {
  const patch = parse(await readFile(join(OVERLAY, 'web-identity.yaml'), 'utf8')) as {
    spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
  };
  const env = patch.spec.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

/** A token that the emulated STS believes, as the kubelet's would be believed by AWS's. */
async function webIdentityToken(): Promise<string> {
  const call = async (operation: string, input: object): Promise<Record<string, string>> => {
    const headers = { 'x-amz-target': `AWSCognitoIdentityService.${operation}` };
    const answer = await fetch(emulator.origin, { method: 'POST', headers, body: JSON.stringify(input) });
    return (await answer.json()) as Record<string, string>;
  };
  const { IdentityId } = await call('GetId', { IdentityPoolId: IDENTITY_POOL_ID });
  const { Token } = await call('GetOpenIdToken', { IdentityId });
  if (Token === undefined) throw new Error('the emulator gave no token');
  return Token;
}

describe('the pods of overlays/signing', () => {
  it('take their role by the token that is mounted, and sign with it', async () => {
    const key = makeKey();
    const config = parse(await readFile(join(OVERLAY, 'config.yaml'), 'utf8')) as ConfigDocument;
    const [pool, archive] = [config.userPools?.['main'], config.upstreams['archive']];
    if (pool === undefined || archive?.sign === undefined) throw new Error('not the configuration it was');
    const { hostname, pathname } = new URL(archive.url ?? '');
    const [, service, region] = hostname.split('.');
    pool.keys = { file: 'jwks.json' };
    archive.url = upstream.origin + pathname;
    archive.sign = { ...archive.sign, service, region };
    await writeFile(join(scratch, 'jwks.json'), JSON.stringify(keySet(key)));
    await writeFile(join(scratch, 'config.yaml'), stringify(config));
    await writeFile(join(scratch, 'token'), await webIdentityToken());

    const environment = await containerEnvironment();
    proxy = runProgram(
      process.execPath,
      [join(ROOT, 'src/main.ts'), '--config', join(scratch, 'config.yaml')],
      {
        env: {
          ...environment,
          AWS_WEB_IDENTITY_TOKEN_FILE: join(scratch, 'token'),
          AWS_ENDPOINT_URL_STS: emulator.origin,
          LISTEN: '127.0.0.1:0',
          ADMIN_LISTEN: '127.0.0.1:0',
        },
      },
    );
    const listening = JSON.parse(await proxy.line()) as { proxy: string };
    const issuer = `https://cognito-idp.us-east-1.amazonaws.com/${pool.userPoolId}`;
    const token = signToken(key, accessClaims({ issuer, clientId: pool.clientIds?.[0] ?? '' }));

    const url = `${listening.proxy}/documents/7`;
    const signed = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(signed.status).toBe(200);
    expect(upstream.last.target).toBe('/prod/documents/7');
    expect(emulator.calls.at(-1)).toMatchObject({
      operation: 'AssumeRoleWithWebIdentity',
      input: { RoleArn: environment['AWS_ROLE_ARN'] },
    });
    expect((await fetch(url)).status).toBe(401);
    expect(upstream.requests).toHaveLength(1);
  });
});
