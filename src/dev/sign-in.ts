import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';

export interface SignedInUser {
  readonly username: string;
  readonly accessToken: string;
  readonly idToken: string;
}

/** A user pool with an app client and two users, both signed in. */
export interface PopulatedUserPool {
  readonly userPoolId: string;
  readonly clientId: string;
  readonly issuer: string;
  readonly users: {
    /** In the group `writers`. */
    readonly alice: SignedInUser;
    /** In no group. */
    readonly bob: SignedInUser;
  };
  /** Signs a user in once more, for new tokens. */
  signIn(username: 'alice' | 'bob'): Promise<SignedInUser>;
}

/** The emulator forgets it all when it stops, so this guards nothing. */
const PASSWORD = 'Correct-horse-1';

/** Makes pool, client, group and users through the same API calls that AWS takes, and signs the users in by password. */
export async function populateUserPool(endpoint: string): Promise<PopulatedUserPool> {
  const client = new CognitoIdentityProviderClient({
    endpoint,
    // The emulator looks at neither.
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

  const { UserPool } = await client.send(new CreateUserPoolCommand({ PoolName: 'dev' }));
  const userPoolId = present(UserPool?.Id, 'user pool id');
  const { UserPoolClient } = await client.send(
    new CreateUserPoolClientCommand({
      UserPoolId: userPoolId,
      ClientName: 'dev',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    }),
  );
  const clientId = present(UserPoolClient?.ClientId, 'client id');
  await client.send(new CreateGroupCommand({ UserPoolId: userPoolId, GroupName: 'writers' }));

  async function createUser(username: string, groups: readonly string[]): Promise<void> {
    const user = { UserPoolId: userPoolId, Username: username };
    const attributes = [
      { Name: 'email', Value: `${username}@example.com` },
      { Name: 'email_verified', Value: 'true' },
    ];
    await client.send(
      new AdminCreateUserCommand({ ...user, UserAttributes: attributes, MessageAction: 'SUPPRESS' }),
    );
    await client.send(new AdminSetUserPasswordCommand({ ...user, Password: PASSWORD, Permanent: true }));
    for (const group of groups) {
      await client.send(new AdminAddUserToGroupCommand({ ...user, GroupName: group }));
    }
  }

  async function signIn(username: string): Promise<SignedInUser> {
    const { AuthenticationResult } = await client.send(
      new InitiateAuthCommand({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: clientId,
        AuthParameters: { USERNAME: username, PASSWORD },
      }),
    );
    return {
      username,
      accessToken: present(AuthenticationResult?.AccessToken, 'access token'),
      idToken: present(AuthenticationResult?.IdToken, 'ID token'),
    };
  }

  await createUser('alice', ['writers']);
  await createUser('bob', []);
  const users = { alice: await signIn('alice'), bob: await signIn('bob') };
  return { userPoolId, clientId, issuer: `${endpoint}/${userPoolId}`, users, signIn };
}

function present(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`the user-pool emulator gave no ${what}`);
  return value;
}
