import { describe, expect, it } from 'vitest';
import { redactConfig } from '../../../src/config/redact.ts';
import { type Config, configSchema } from '../../../src/config/schema/config.ts';
import { EVERY, pathsMarked } from '../../../src/config/schema-tree.ts';

const CANARY = 'canary-in-a-secret';

const parsed = configSchema.parse({
  server: { tls: { cert: CANARY, key: CANARY } },
  userPools: { main: { userPoolId: 'us-east-1_Abc', clientIds: ['app'] } },
  identityPools: {
    main: {
      identityPoolId: 'us-east-1:11111111-2222-3333-4444-555555555555',
      userPool: 'main',
      logins: {
        'login.my.app': {
          claim: 'sub',
          credentials: {
            static: { accessKeyId: CANARY, secretAccessKey: CANARY, sessionToken: CANARY },
          },
        },
      },
    },
  },
  upstreams: {
    board: { url: 'https://board', tls: { ca: CANARY, cert: CANARY, key: CANARY, servername: 'board' } },
    archive: {
      url: 'https://archive',
      sign: {
        service: 's3',
        credentials: { static: { accessKeyId: CANARY, secretAccessKey: CANARY, sessionToken: CANARY } },
      },
    },
    temporary: {
      url: 'https://temporary',
      sign: { credentials: { static: { accessKeyId: CANARY, secretAccessKey: CANARY } } },
    },
  },
  routes: [{ id: 'a', match: { path: '/a' }, allow: 'public', upstream: 'board' }],
});

/** A URL that is all secret would not be read as one. */
const config: Config = {
  ...parsed,
  rateLimits: { ...parsed.rateLimits, store: { redis: CANARY }, onStoreFailure: 'open' },
};

describe('a configuration to be shown', () => {
  it('has every place for a secret filled in this test', () => {
    const places = pathsMarked(configSchema, { role: 'hidden' }).map((path) =>
      path.map((step) => (step === EVERY ? '*' : step)).join('.'),
    );
    expect(places).toEqual([
      'server.tls.cert',
      'server.tls.key',
      'identityPools.*.logins.*.credentials.static.accessKeyId',
      'identityPools.*.logins.*.credentials.static.secretAccessKey',
      'identityPools.*.logins.*.credentials.static.sessionToken',
      'upstreams.*.tls.ca',
      'upstreams.*.tls.cert',
      'upstreams.*.tls.key',
      'upstreams.*.sign.credentials.static.accessKeyId',
      'upstreams.*.sign.credentials.static.secretAccessKey',
      'upstreams.*.sign.credentials.static.sessionToken',
      'rateLimits.store.redis',
    ]);
  });

  it('holds none of them', () => {
    expect(JSON.stringify(config).split(CANARY)).toHaveLength(15);
    expect(JSON.stringify(redactConfig(config))).not.toContain(CANARY);
  });

  it('is otherwise the same', () => {
    const shown = redactConfig(config);
    const restored = JSON.parse(JSON.stringify(shown).replaceAll('[redacted]', CANARY)) as unknown;
    expect(restored).toEqual(config);
    expect(shown.upstreams['temporary']?.sign).toMatchObject({
      credentials: { static: { sessionToken: null } },
    });
  });

  it('leaves the original alone', () => {
    redactConfig(config);
    expect(config.server.tls?.key).toBe(CANARY);
  });
});
