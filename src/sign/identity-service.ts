import {
  type AwsConnections,
  type AwsEndpoint,
  type AwsKey,
  createCaller,
  receiveKey,
  type TemporaryKey,
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

/** @param key credentials of our own for the one call that is signed; null where it is not used */
export function createIdentityService(
  endpoint: AwsEndpoint,
  connections: AwsConnections,
  key: (() => Promise<AwsKey>) | null,
): IdentityService {
  const { clock } = connections;
  const call = createCaller(endpoint, connections, key, async (options) => {
    const sdk = await import('@aws-sdk/client-cognito-identity');
    return { sdk, client: new sdk.CognitoIdentityClient(options) };
  });

  return {
    async getId(identityPoolId, logins) {
      const answer = await call(({ sdk, client }, options) =>
        client.send(
          new sdk.GetIdCommand({ IdentityPoolId: identityPoolId, ...loginsInput(logins) }),
          options,
        ),
      );
      return required(answer.IdentityId);
    },
    getCredentials(identityId, logins, roleArn) {
      return call(({ sdk, client }, options) => {
        const command = new sdk.GetCredentialsForIdentityCommand({
          IdentityId: identityId,
          ...loginsInput(logins),
          ...(roleArn === null ? {} : { CustomRoleArn: roleArn }),
        });
        return receiveKey(command, clock, () => client.send(command, options));
      });
    },
    async getOpenIdToken(identityId, logins) {
      const answer = await call(({ sdk, client }, options) =>
        client.send(
          new sdk.GetOpenIdTokenCommand({ IdentityId: identityId, ...loginsInput(logins) }),
          options,
        ),
      );
      return required(answer.Token);
    },
    async getDeveloperToken(identityPoolId, logins) {
      const answer = await call(({ sdk, client }, options) =>
        client.send(
          new sdk.GetOpenIdTokenForDeveloperIdentityCommand({
            IdentityPoolId: identityPoolId,
            Logins: { ...logins },
          }),
          options,
        ),
      );
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
