import type { Config } from '../config/schema/config.ts';
import type { AwsConnections, AwsKey } from './aws-clients.ts';

type OwnCredentials = Exclude<
  NonNullable<Config['upstreams'][string]['sign']>['credentials'],
  { readonly identityPool: string }
>;

/** Milliseconds for which a search is waited for. */
const SEARCH_TIMEOUT = 5_000;

/** Milliseconds after which one that has not ended is left to itself, and the next begins anew. */
const SEARCH_STUCK = 60_000;

/**
 * Reads the proxy's own access key: from the configuration, or by the SDK's search through environment, web identity
 * of a Kubernetes service account, container and instance.
 */
export function createOwnKey(
  settings: OwnCredentials,
  region: string,
  connections: AwsConnections,
): () => Promise<AwsKey> {
  if ('static' in settings) {
    const { accessKeyId, secretAccessKey, sessionToken } = settings.static;
    const key: AwsKey = { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
    return () => Promise.resolve(key);
  }
  return createSearch(region, connections);
}

/**
 * Searches within a time of our own: the SDK's has none where a container's endpoint takes the connection and then says nothing. What
 * was asked there cannot be ended, and whoever asks again waits for it too, so that a new search is needed when it goes on and on.
 */
function createSearch(region: string, { agents, clock }: AwsConnections): () => Promise<AwsKey> {
  const load = async (): Promise<() => Promise<AwsKey>> => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    const requestHandler = { ...agents, requestTimeout: SEARCH_TIMEOUT, throwOnRequestTimeout: true };
    return fromNodeProviderChain({ clientConfig: { region, requestHandler } });
  };
  let loaded: ReturnType<typeof load> | null = null;
  /** Monotonic milliseconds since when a search has not ended; null: the last one has, or none has begun. */
  let silentSince: number | null = null;

  return async () => {
    if (silentSince !== null && clock.monotonic() - silentSince >= SEARCH_STUCK) {
      loaded = null;
      silentSince = null;
    }
    loaded ??= load();
    const search = await loaded;
    silentSince ??= clock.monotonic();
    const late = Promise.withResolvers<never>();
    const timer = clock.after(SEARCH_TIMEOUT, () =>
      late.reject(new Error(`no credentials were found within ${SEARCH_TIMEOUT} ms`)),
    );
    try {
      return await Promise.race([search().finally(() => (silentSince = null)), late.promise]);
    } finally {
      timer.cancel();
    }
  };
}
