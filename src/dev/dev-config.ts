import type { z } from 'zod';
import type { configSchema } from '../config/schema/config.ts';

/** A configuration as users write it, before defaults are filled in. */
export type ConfigDocument = z.input<typeof configSchema>;

export interface DevConfigInput {
  /** Where the proxy and its admin port listen. */
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly issuer: string;
  readonly userPoolId: string;
  readonly clientId: string;
  /** Origin of the sample upstream. */
  readonly upstream: string;
  readonly identityPoolId: string;
  /** Origin of the identity pool, and of STS. */
  readonly identityPool: string;
}

/** One route for each kind of rule, over the emulator's user pool and the sample upstream. */
export function makeDevConfig(input: DevConfigInput): ConfigDocument {
  return {
    server: {
      listen: `${input.host}:${input.port}`,
      // Nobody balances load over a development stack: Ctrl-C need not wait for it to be taken out.
      shutdown: { unready: '0s', drain: '1s' },
    },
    admin: { listen: `${input.host}:${input.adminPort}` },
    userPools: {
      dev: {
        userPoolId: input.userPoolId,
        clientIds: [input.clientId],
        tokenUse: ['access', 'id'],
        issuer: input.issuer,
      },
    },
    identityPools: {
      dev: {
        identityPoolId: input.identityPoolId,
        userPool: 'dev',
        endpoint: input.identityPool,
        stsEndpoint: input.identityPool,
      },
    },
    upstreams: {
      sample: { url: input.upstream },
      // The same upstream, as an API would be that trusts IAM alone.
      signed: {
        url: input.upstream,
        sign: { service: 'execute-api', region: 'us-east-1', credentials: { identityPool: 'dev' } },
      },
    },
    routes: [
      {
        id: 'public',
        match: { methods: ['GET'], path: '/public' },
        allow: 'public',
        upstream: 'sample',
      },
      {
        id: 'read-posts',
        match: { methods: ['GET'], path: '/posts' },
        allow: 'authenticated',
        upstream: 'sample',
      },
      {
        id: 'write-posts',
        match: { methods: ['POST'], path: '/posts' },
        allow: { groups: ['writers'] },
        upstream: 'sample',
      },
      {
        id: 'own-profile',
        match: { methods: ['GET'], path: '/users/{username}/profile' },
        allow: { claims: { username: '{username}' } },
        upstream: 'sample',
      },
      {
        id: 'signed',
        match: { path: '/signed/{proxy+}' },
        allow: 'authenticated',
        upstream: 'signed',
      },
      {
        id: 'web-socket',
        match: { methods: ['GET'], path: '/ws/echo' },
        allow: 'authenticated',
        upstream: 'sample',
      },
    ],
  };
}
