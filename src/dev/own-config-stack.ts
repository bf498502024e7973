import type { Config } from '../config/schema/config.ts';
import type { DevPorts, DevService, DevStackParts } from './dev-stack.ts';
import { onPort, untilReady } from './dev-stack.ts';
import { createSignatureJudge } from './judge-signature.ts';
import { makeSampleTokens, type NamesAsked, namesAskedBy } from './sample-callers.ts';
import { startSampleUpstream } from './sample-upstream.ts';
import { startStandInIdentities } from './stand-in-identities.ts';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

/** What a script needs to know of it: the line that `dev --config FILE --json` prints. */
export interface OwnConfigSummary {
  readonly proxy: string;
  readonly admin: string;
  /** Where every user pool's keys are. */
  readonly cognito: string;
  /** What stands in for every upstream. */
  readonly upstream: string;
  /** By the names of shell variables: `ALICE`, or `ALICE_STAFF` where there is more than the pool `staff`. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly asked: NamesAsked;
}

export interface OwnConfigStack {
  readonly summary: OwnConfigSummary;
  stop(): Promise<void>;
}

/**
 * Starts the proxy with a configuration of the user's own, in which everything around it is replaced: user pools by a
 * local issuer, identity pools and STS by the emulator, upstreams by the sample one, and where it listens. Routes and rules stay as they are.
 * @throws Error fit to be shown; whatever had started by then is stopped again
 */
export async function startOwnConfigStack(
  own: Config,
  parts: Omit<DevStackParts, 'readConfig'>,
): Promise<OwnConfigStack> {
  const { ports, host, progress } = parts;
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };

  try {
    progress('starting a stand-in for the user pools');
    const issuer = await onPort(ports, ['cognito'], () => startTokenIssuer(ports.cognito, host));
    stops.push(issuer.stop);

    progress('starting a stand-in for identity pools and STS');
    const identities = await startStandInIdentities(own, issuer);
    stops.push(identities.stop);

    progress('starting a sample upstream');
    const judgeSignature = createSignatureJudge({ credentialsOf: identities.credentialsOf, now: Date.now });
    const upstream = await onPort(ports, ['upstream'], () =>
      startSampleUpstream({ port: ports.upstream, host, judgeSignature }),
    );
    stops.push(upstream.stop);

    progress('starting the proxy');
    const replaced = replaceSurroundings(own, { ports, host, issuer, upstream: upstream.origin });
    const service: DevService = parts.createService(identities.replace(replaced), parts.overrides);
    stops.push(() => service.stop());
    const { proxy, admin } = await onPort(ports, ['proxy', 'admin'], () => service.start());
    await untilReady(admin);

    const asked = namesAskedBy(own);
    const tokens = issueTokens(own, issuer, asked);
    return {
      summary: { proxy, admin, cognito: issuer.origin, upstream: upstream.origin, tokens, asked },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Surroundings {
  readonly ports: DevPorts;
  readonly host: string;
  readonly issuer: TokenIssuer;
  readonly upstream: string;
}

function replaceSurroundings(own: Config, { ports, host, issuer, upstream }: Surroundings): Config {
  const pools = Object.entries(own.userPools).map(([name, pool]) => [
    name,
    {
      ...pool,
      issuer: issuer.issuerOf(pool.userPoolId),
      keys: { refresh: 3_600_000, maxStale: 86_400_000, timeout: 1500 },
    },
  ]);
  const upstreams = Object.entries(own.upstreams).map(([name, { urls, ...rest }]) => {
    const { pathname } = new URL(rest.url ?? urls?.[0] ?? upstream);
    return [name, { ...rest, url: upstream + pathname, tls: null }];
  });
  return {
    ...own,
    server: {
      ...own.server,
      listen: { host, port: ports.proxy },
      tls: null,
      workers: 1,
      // Nobody balances load over a development stack: Ctrl-C need not wait for it to be taken out.
      shutdown: { unready: 0, drain: 1000 },
    },
    admin: { listen: { host, port: ports.admin } },
    userPools: Object.fromEntries(pools),
    upstreams: Object.fromEntries(upstreams),
  };
}

function issueTokens(own: Config, issuer: TokenIssuer, asked: NamesAsked): Record<string, string> {
  const pools = Object.entries(own.userPools);
  const now = Math.floor(Date.now() / 1000);
  const tokens = pools.flatMap(([poolName, pool]) => {
    const suffix = pools.length === 1 ? '' : `_${poolName}`;
    const exchanged = Object.values(own.identityPools).some(({ userPool }) => userPool === poolName);
    return makeSampleTokens(pool, issuer.issuerOf(pool.userPoolId), asked, now, exchanged).map(
      ({ name, claims }) => [`${name}${suffix}`.toUpperCase().replace(/\W/g, '_'), issuer.sign(claims)],
    );
  });
  return Object.fromEntries(tokens);
}
