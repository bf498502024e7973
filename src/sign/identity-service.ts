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

export type Logins = Readonly<Record<string, string>>;

/** Amazon Cognito identity pools, as far as they are needed here. Every method rejects with the SDK's error. */
export interface IdentityService {
  /** @returns the identity id */
  getId(identityPoolId: string, logins: Logins): Promise<string>;
  getCredentials(identityId: string, logins: Logins, roleArn: string | null): Promise<TemporaryKey>;
  /** @returns a token that STS takes */
  getOpenIdToken(identityId: string, logins: Logins): Promise<string>;
  getDeveloperToken(
    identityPoolId: string,
    logins: Logins,
  ): Promise<{ readonly identityId: string; readonly token: string }>;
}

/**
 * The SDK is loaded with the first call, not at start: who does not sign does not pay for it.
 * @param key credentials of our own for the one call that is signed; null where it is not used
 */
export function createIdentityService(
  endpoint: AwsEndpoint,
  connections: AwsConnections,
  key: (() => Promise<AwsKey>) | null,
): IdentityService {
  const load = async () => {
    const sdk = await import('@aws-sdk/client-cognito-identity');
    return { sdk, client: new sdk.CognitoIdentityClient(clientOptions(endpoint, connections, key)) };
  };
  let loaded: ReturnType<typeof load> | null = null;
  const open = (): ReturnType<typeof load> => (loaded ??= load());

  return {
    async getId(identityPoolId, logins) {
      const { sdk, client } = await open();
      const command = new sdk.GetIdCommand({ IdentityPoolId: identityPoolId, ...loginsInput(logins) });
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return required(answer.IdentityId);
    },
    async getCredentials(identityId, logins, roleArn) {
      const { sdk, client } = await open();
      const command = new sdk.GetCredentialsForIdentityCommand({
        IdentityId: identityId,
        ...loginsInput(logins),
        ...(roleArn === null ? {} : { CustomRoleArn: roleArn }),
      });
      const serviceTime = readServiceTime(command);
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return readTemporaryKey(answer.Credentials, serviceTime() ?? connections.clock.now());
    },
    async getOpenIdToken(identityId, logins) {
      const { sdk, client } = await open();
      const command = new sdk.GetOpenIdTokenCommand({ IdentityId: identityId, ...loginsInput(logins) });
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return required(answer.Token);
    },
    async getDeveloperToken(identityPoolId, logins) {
      const { sdk, client } = await open();
      const command = new sdk.GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: identityPoolId,
        Logins: { ...logins },
      });
      const answer = await withTimeout(endpoint, connections, (options) => client.send(command, options));
      return { identityId: required(answer.IdentityId), token: required(answer.Token) };
    },
  };
}

/** A guest has no logins, and an empty map would be refused. */
function loginsInput(logins: Logins): { Logins?: Record<string, string> } {
  return Object.keys(logins).length === 0 ? {} : { Logins: { ...logins } };
}

function required(value: string | undefined): string {
  if (value === undefined || value === '') throw new Error('the answer lacks what was asked for');
  return value;
}
