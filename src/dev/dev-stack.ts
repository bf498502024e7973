import { setTimeout } from 'node:timers/promises';
import type { Config } from '../config/schema/config.ts';
import type { ServiceAddresses, ServiceOverrides } from '../core/service.ts';
import { type ConfigDocument, makeDevConfig } from './dev-config.ts';
import { startDevIdentityPool } from './dev-identity-pool.ts';
import { createSignatureJudge } from './judge-signature.ts';
import { startSampleUpstream } from './sample-upstream.ts';
import { populateUserPool, type SignedInUser } from './sign-in.ts';
import { startUserPoolEmulator } from './user-pool-emulator.ts';

/** TCP ports; 0 is a free one. */
export interface DevPorts {
  readonly proxy: number;
  readonly admin: number;
  readonly cognito: number;
  readonly upstream: number;
}

/** What a script needs to know of a running stack: the line that `dev --json` prints. */
export interface DevSummary {
  readonly proxy: string;
  readonly admin: string;
  readonly cognito: string;
  readonly upstream: string;
  /** Where identity pool and STS are. */
  readonly identityPool: string;
  readonly userPoolId: string;
  readonly clientId: string;
  readonly identityPoolId: string;
  readonly users: { readonly alice: SignedInUser; readonly bob: SignedInUser };
}

export interface DevStack {
  readonly summary: DevSummary;
  /** Resolves when a part of the stack has ended by itself, which none should. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** What the stack needs of the rest of the house, handed in because rooms do not reach into each other. */
export interface DevStackParts {
  readonly ports: DevPorts;
  /** Where all of them listen: 127.0.0.1, except in a container, where that would be out of everybody's reach. */
  readonly host: string;
  readonly readConfig: (document: ConfigDocument) => Config;
  readonly createService: (config: Config, overrides: ServiceOverrides) => DevService;
  readonly overrides: ServiceOverrides;
  readonly progress: (line: string) => void;
}

export interface DevService {
  start(): Promise<ServiceAddresses>;
  stop(): Promise<unknown>;
}

/** The option of the command that moves each port. */
const PORT_OPTIONS: Readonly<Record<keyof DevPorts, string>> = {
  proxy: '--port',
  admin: '--admin-port',
  cognito: '--cognito-port',
  upstream: '--upstream-port',
};

/**
 * Starts user pool, identity pool, upstream and proxy, in this order, and signs the users in.
 * @throws Error fit to be shown; whatever had started by then is stopped again
 */
export async function startDevStack(parts: DevStackParts): Promise<DevStack> {
  const { ports, host, progress } = parts;
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };

  try {
    progress('starting a Cognito user pool');
    const emulator = await onPort(ports, ['cognito'], () => startUserPoolEmulator(ports.cognito, host));
    stops.push(emulator.stop);

    progress('signing in alice and bob');
    const { userPoolId, clientId, issuer, users } = await populateUserPool(emulator.origin);

    progress('starting an identity pool');
    const identityPool = await startDevIdentityPool({ userPoolId, clientId, issuer });
    stops.push(identityPool.stop);

    progress('starting a sample upstream');
    const judgeSignature = createSignatureJudge({ credentialsOf: identityPool.credentialsOf, now: Date.now });
    const upstream = await onPort(ports, ['upstream'], () =>
      startSampleUpstream({ port: ports.upstream, host, judgeSignature }),
    );
    stops.push(upstream.stop);

    progress('starting the proxy');
    const document = makeDevConfig({
      host,
      port: ports.proxy,
      adminPort: ports.admin,
      issuer,
      userPoolId,
      clientId,
      upstream: upstream.origin,
      identityPoolId: identityPool.identityPoolId,
      identityPool: identityPool.origin,
    });
    const service = parts.createService(parts.readConfig(document), { ...parts.overrides, dev: true });
    stops.push(() => service.stop());
    const { proxy, admin } = await onPort(ports, ['proxy', 'admin'], () => service.start());
    await untilReady(admin);

    return {
      summary: {
        proxy,
        admin,
        cognito: emulator.origin,
        upstream: upstream.origin,
        identityPool: identityPool.origin,
        userPoolId,
        clientId,
        identityPoolId: identityPool.identityPoolId,
        users,
      },
      ended: emulator.ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Milliseconds between two looks at whether the proxy is ready, which takes it one fetch of the pool's keys. */
const READY_INTERVAL = 10;
const READY_TIMEOUT = 5000;

/** Whoever reads that the stack is there may rely on it, scripts too. */
export async function untilReady(admin: string): Promise<void> {
  for (let waited = 0; waited < READY_TIMEOUT; waited += READY_INTERVAL) {
    if ((await fetch(`${admin}/readyz`)).ok) return;
    await setTimeout(READY_INTERVAL);
  }
  throw new Error('the proxy does not become ready: the log says why');
}

/** Says of a port that is taken whose it was to be, and how to move it. */
export async function onPort<T>(
  ports: DevPorts,
  candidates: readonly (keyof DevPorts)[],
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw error;
    const name = candidates.find((each) => ports[each] === port) ?? candidates[0] ?? 'proxy';
    const option = PORT_OPTIONS[name];
    throw new Error(
      `port ${ports[name]} (${name}) is in use: stop what listens there, or move it with ${option} PORT (0: a free one)`,
      { cause: error },
    );
  }
}
