import {
  type AwsConnections,
  type AwsEndpoint,
  type AwsKey,
  clientOptions,
  readServiceTime,
  readTemporaryKey,
  type TemporaryKey,
  withTimeout,
} from './aws-clients.ts';

/** AWS STS, as far as it is needed here. Every method rejects with the SDK's error. */
export interface TokenService {
  assumeRoleWithWebIdentity(roleArn: string, sessionName: string, token: string): Promise<TemporaryKey>;
  assumeRole(roleArn: string, sessionName: string): Promise<TemporaryKey>;
}

/** @param key credentials of our own for AssumeRole; null where it is not used */
export function createTokenService(
  endpoint: AwsEndpoint,
  connections: AwsConnections,
  key: (() => Promise<AwsKey>) | null,
): TokenService {
  const load = async () => {
    const sdk = await import('@aws-sdk/client-sts');
    return { sdk, client: new sdk.STSClient(clientOptions(endpoint, connections, key)) };
  };
  let loaded: ReturnType<typeof load> | null = null;
  const open = (): ReturnType<typeof load> => (loaded ??= load());

  return {
    async assumeRoleWithWebIdentity(roleArn, sessionName, token) {
      const { sdk, client } = await open();
      const command = new sdk.AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        WebIdentityToken: token,
      });
      const serviceTime = readServiceTime(command);
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return readTemporaryKey(answer.Credentials, serviceTime() ?? connections.clock.now());
    },
    async assumeRole(roleArn, sessionName) {
      const { sdk, client } = await open();
      const command = new sdk.AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName });
      const serviceTime = readServiceTime(command);
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return readTemporaryKey(answer.Credentials, serviceTime() ?? connections.clock.now());
    },
  };
}
