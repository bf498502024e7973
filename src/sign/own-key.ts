import type { Config } from '../config/schema/config.ts';
import type { AwsConnections, AwsKey } from './aws-clients.ts';

type OwnCredentials = Exclude<
  NonNullable<Config['upstreams'][string]['sign']>['credentials'],
  { readonly identityPool: string }
>;

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
  const load = async (): Promise<() => Promise<AwsKey>> => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    return fromNodeProviderChain({
      clientConfig: { region, requestHandler: connections.agents },
    });
  };
  let loaded: ReturnType<typeof load> | null = null;
  return async () => {
    loaded ??= load();
    return (await loaded)();
  };
}
