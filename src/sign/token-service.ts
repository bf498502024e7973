import {
  type AwsConnections,
  type AwsEndpoint,
  type AwsKey,
  createCaller,
  receiveKey,
  type TemporaryKey,
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
  const { clock } = connections;
  const call = createCaller(endpoint, connections, key, async (options) => {
    const sdk = await import('@aws-sdk/client-sts');
    return { sdk, client: new sdk.STSClient(options) };
  });

  return {
    assumeRoleWithWebIdentity(roleArn, sessionName, token) {
      return call(({ sdk, client }, options) => {
        const command = new sdk.AssumeRoleWithWebIdentityCommand({
          RoleArn: roleArn,
          RoleSessionName: sessionName,
          WebIdentityToken: token,
        });
        return receiveKey(command, clock, () => client.send(command, options));
      });
    },
    assumeRole(roleArn, sessionName) {
      return call(({ sdk, client }, options) => {
        const command = new sdk.AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName });
        return receiveKey(command, clock, () => client.send(command, options));
      });
    },
  };
}
