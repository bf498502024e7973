import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CognitoIdentityClient,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { untilIdle } from '../../support/attack.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { bearer } from '../../support/proxy.ts';
import { runOut } from '../../support/run-out.ts';
import { IDENTITY_POOL_ID, type SigningStack, startSigningStack } from '../../support/signing-stack.ts';
import { codeIn, useSigningStack } from '../../support/use-signing-stack.ts';

const KEY = { accessKeyId: 'AKIDPROXY', secretAccessKey: 'proxy-secret' };
const accessKeys = { [KEY.accessKeyId]: KEY.secretAccessKey };
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;

describe('an access key from the configuration', () => {
  const stack = useSigningStack({ accessKeys, sign: { credentials: { static: KEY } } });

  it('signs for every caller alike, guests too, without calling AWS', async () => {
    const { proxy, upstream, emulator, idToken } = stack();
    for (const headers of [[bearer(idToken('alice'))], [bearer(proxy.token())], []]) {
      const answer = await proxy.request('GET /items HTTP/1.1', headers);
      expect(answer.status, answer.text).toBe(200);
      expect(upstream.last.accessKeyId).toBe(KEY.accessKeyId);
      expect(upstream.last.header('x-amz-security-token')).toBeUndefined();
    }
    expect(emulator.calls).toEqual([]);
  });
});

describe('roles assumed on top of it', () => {
  let stack: SigningStack;
  beforeEach(async () => {
    stack = await startSigningStack({
      accessKeys,
      emulator: { assumableRoles: [role('all'), role('writers')] },
      sign: (emulator) => ({
        stsEndpoint: emulator,
        credentials: { static: KEY },
        roleArn: role('all'),
        roles: [
          { when: { groups: ['writers'] }, roleArn: role('writers') },
          { when: { groups: ['locked'] }, roleArn: role('locked') },
        ],
      }),
    });
  });
  afterEach(() => stack.stop());

  const as = (groups: readonly string[]) =>
    stack.proxy.request('GET /items HTTP/1.1', [
      bearer(stack.idToken('alice', { 'cognito:groups': groups })),
    ]);
  const current = () => stack.emulator.credentialsOf(stack.upstream.last.accessKeyId);

  it('are taken by rules, and once each for all callers', async () => {
    for (const [groups, expected] of [
      [[], 'all'],
      [['writers'], 'writers'],
      [[], 'all'],
      [['writers'], 'writers'],
    ] as const) {
      const answer = await as(groups);
      expect(answer.status, answer.text).toBe(200);
      expect(current()).toMatchObject({
        roleArn: role(expected),
        sessionName: 'cognito-auth-proxy',
        identityId: null,
      });
    }
    expect(stack.emulator.count('AssumeRole')).toBe(2);
  });

  it('are 403 where STS denies them', async () => {
    const answer = await as(['locked']);
    expect(answer.status).toBe(403);
    expect(codeIn(answer)).toBe('SIGN_ROLE_DENIED');
  });
});

describe('rules that match nobody', () => {
  const stack = useSigningStack({
    accessKeys,
    sign: { credentials: { static: KEY }, roles: [{ when: { groups: ['x'] }, roleArn: role('x') }] },
  });

  it('do not leave callers with the rights of the proxy itself', async () => {
    const { proxy, upstream, idToken } = stack();
    for (const headers of [[bearer(idToken())], []]) {
      const answer = await proxy.request('GET /items HTTP/1.1', headers);
      expect(answer.status).toBe(403);
      expect(codeIn(answer)).toBe('SIGN_ROLE_DENIED');
    }
    expect(upstream.requests).toEqual([]);
  });
});

describe("the AWS SDK's default chain", () => {
  beforeEach(() => {
    // Nothing of the machine's own may take part.
    for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  });
  afterEach(() => vi.unstubAllEnvs());

  const ask = async (stack: SigningStack) =>
    stack.proxy.request('GET /items HTTP/1.1', [bearer(stack.idToken())]);

  it('that finds nothing is 503', async () => {
    const stack = await startSigningStack({ sign: { credentials: { source: 'default' } } });
    try {
      const answer = await ask(stack);
      expect(answer.status).toBe(503);
      expect(codeIn(answer)).toBe('SIGN_CREDENTIALS_UNAVAILABLE');
      expect(answer.header('retry-after')).toBe('5');
      expect(stack.upstream.requests).toEqual([]);
    } finally {
      await stack.stop();
    }
  });

  it('finds what is in the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEY.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEY.secretAccessKey);
    const stack = await startSigningStack({ accessKeys, sign: { credentials: { source: 'default' } } });
    try {
      const answer = await ask(stack);
      expect(answer.status, answer.text).toBe(200);
      expect(stack.upstream.last.accessKeyId).toBe(KEY.accessKeyId);
    } finally {
      await stack.stop();
    }
  });

  it('finds those of a container, and asks for them once', async () => {
    let asked = 0;
    const container = createServer((_request, response) => {
      asked += 1;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          AccessKeyId: KEY.accessKeyId,
          SecretAccessKey: KEY.secretAccessKey,
          Token: 'container-token',
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      );
    });
    container.listen(0, '127.0.0.1');
    await once(container, 'listening');
    const { port } = container.address() as AddressInfo;
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/`);
    const known = { secretAccessKey: KEY.secretAccessKey, sessionToken: 'container-token' };
    const stack = await startSigningStack({
      sign: { credentials: { source: 'default' } },
      upstream: { credentialsOf: (id) => (id === KEY.accessKeyId ? known : undefined) },
    });
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await ask(stack);
        expect(answer.status, answer.text).toBe(200);
      }
      expect(asked).toBe(1);
    } finally {
      await stack.stop();
      container.closeAllConnections();
      container.close();
    }
  });

  it('finds the web identity of a Kubernetes service account', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'web-identity-'));
    const stack = await startSigningStack({
      sign: { credentials: { source: 'default' } },
      pool: { developerProvider: 'login.my.app' },
      accessKeys: { AKIDBACKEND: 'backend-secret' },
    });
    try {
      // The emulator's STS takes tokens of the emulator's own provider.
      const backend = new CognitoIdentityClient({
        region: 'us-east-1',
        endpoint: stack.emulator.origin,
        credentials: { accessKeyId: 'AKIDBACKEND', secretAccessKey: 'backend-secret' },
      });
      const { Token } = await backend.send(
        new GetOpenIdTokenForDeveloperIdentityCommand({
          IdentityPoolId: IDENTITY_POOL_ID,
          Logins: { 'login.my.app': 'pod' },
        }),
      );
      backend.destroy();
      writeFileSync(join(folder, 'token'), Token ?? '');
      vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
      vi.stubEnv('AWS_ROLE_ARN', role('pod'));
      vi.stubEnv('AWS_ROLE_SESSION_NAME', 'pod-1');
      vi.stubEnv('AWS_ENDPOINT_URL_STS', stack.emulator.origin);
      const answer = await ask(stack);
      expect(answer.status, answer.text).toBe(200);
      expect(stack.emulator.credentialsOf(stack.upstream.last.accessKeyId)).toMatchObject({
        roleArn: role('pod'),
        sessionName: 'pod-1',
      });
    } finally {
      await stack.stop();
      rmSync(folder, { recursive: true });
    }
  });

  describe('that is asked of somebody who takes the question and says nothing', () => {
    /** An endpoint that is silent until it is told to answer as a container's does. */
    async function startSilent() {
      let silent = true;
      const asked: (() => void)[] = [];
      const server = createServer((_request, response) => {
        asked.shift()?.();
        if (silent) return;
        response.setHeader('content-type', 'application/json');
        const expiration = new Date(Date.now() + 3_600_000).toISOString();
        response.end(
          JSON.stringify({
            AccessKeyId: KEY.accessKeyId,
            SecretAccessKey: KEY.secretAccessKey,
            Token: 'container-token',
            Expiration: expiration,
          }),
        );
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        /** Resolves when the next request is there. */
        asked: () => new Promise<void>((resolve) => asked.push(resolve)),
        speak: () => {
          silent = false;
        },
        stop() {
          server.closeAllConnections();
          server.close();
        },
      };
    }

    let silent: Awaited<ReturnType<typeof startSilent>>;
    let folder: string;
    beforeEach(async () => {
      silent = await startSilent();
      folder = mkdtempSync(join(tmpdir(), 'silent-'));
    });
    afterEach(() => {
      silent.stop();
      rmSync(folder, { recursive: true });
    });

    const askContainer = (): void => {
      vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${silent.origin}/`);
    };
    const askTokenService = (): void => {
      writeFileSync(join(folder, 'token'), 'a.b.c');
      vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
      vi.stubEnv('AWS_ROLE_ARN', role('pod'));
      vi.stubEnv('AWS_ENDPOINT_URL_STS', silent.origin);
    };

    it.each([
      ['a container', askContainer, {}],
      ['a container, for a role', askContainer, { roleArn: role('reports') }],
      ['STS, with a web identity', askTokenService, {}],
    ])('%s: 503 after five seconds, and nothing is in flight', async (_, prepare, sign) => {
      prepare();
      const clock = createFakeClock(Date.now());
      const stack = await startSigningStack({
        clock,
        sign: { credentials: { source: 'default' }, ...sign },
      });
      try {
        const asked = silent.asked();
        const answer = ask(stack);
        await asked;
        clock.advance(5_000);
        const { status, text } = await answer;
        expect([status, codeIn({ text })]).toEqual([503, 'SIGN_CREDENTIALS_UNAVAILABLE']);
        expect(stack.upstream.requests).toEqual([]);
        await untilIdle(stack.proxy);
      } finally {
        await runOut(clock, stack.stop());
      }
    });

    it('is asked anew after a minute, while the first question is still open', async () => {
      askContainer();
      const clock = createFakeClock(Date.now());
      const known = { secretAccessKey: KEY.secretAccessKey, sessionToken: 'container-token' };
      const stack = await startSigningStack({
        clock,
        sign: { credentials: { source: 'default' } },
        upstream: { credentialsOf: (id) => (id === KEY.accessKeyId ? known : undefined) },
      });
      try {
        const asked = silent.asked();
        const first = ask(stack);
        await asked;
        clock.advance(5_000);
        expect((await first).status).toBe(503);
        silent.speak();
        clock.advance(55_000);
        const second = await ask(stack);
        expect(second.status, second.text).toBe(200);
      } finally {
        await runOut(clock, stack.stop());
      }
    });
  });
});
