import { awsError, type Outcome } from './aws-answer.ts';
import type { CredentialRegister, IssuedCredentials } from './issued-credentials.ts';
import { type LoginProvider, readLoginToken } from './login-token.ts';

export interface StsSettings {
  readonly register: CredentialRegister;
  /** Whose web identity tokens are accepted: the identity pool's. */
  readonly webIdentity: LoginProvider;
  /** Roles that may be assumed; null: any. */
  readonly assumableRoles: readonly string[] | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface StsOperations {
  assumeRoleWithWebIdentity(parameters: URLSearchParams): Promise<Outcome<object>>;
  /** The caller has been authenticated by the signature of the request. */
  assumeRole(parameters: URLSearchParams): Outcome<object>;
}

export function createStsOperations(settings: StsSettings): StsOperations {
  const { register, webIdentity, assumableRoles, now } = settings;

  const assume = (
    action: string,
    parameters: URLSearchParams,
    identityId: string | null,
  ): Outcome<{ Credentials: object; AssumedRoleUser: object }> => {
    const roleArn = parameters.get('RoleArn') ?? '';
    const sessionName = parameters.get('RoleSessionName') ?? '';
    const seconds = Number(parameters.get('DurationSeconds') ?? 3600);
    if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
      return awsError(
        'ValidationError',
        "1 validation error detected: Value at 'roleSessionName' is invalid",
      );
    }
    if (seconds < 900 || seconds > 43_200) {
      return awsError('ValidationError', 'The requested DurationSeconds is not within 900 and 43200.');
    }
    if (assumableRoles !== null && !assumableRoles.includes(roleArn)) {
      return awsError('AccessDenied', `Not authorized to perform sts:${action}`, 403);
    }
    const issued = register.issue({ roleArn, identityId, sessionName }, now() + seconds * 1000);
    return {
      Credentials: toXmlFields(issued),
      AssumedRoleUser: {
        AssumedRoleId: `AROAEXAMPLE:${sessionName}`,
        Arn: `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`,
      },
    };
  };

  return {
    async assumeRoleWithWebIdentity(parameters) {
      const claims = await readLoginToken(parameters.get('WebIdentityToken') ?? '', webIdentity, now());
      if (typeof claims === 'string') {
        return claims.includes('expired')
          ? awsError('ExpiredTokenException', claims)
          : awsError('InvalidIdentityToken', claims);
      }
      return assume('AssumeRoleWithWebIdentity', parameters, claims.sub);
    },
    assumeRole: (parameters) => assume('AssumeRole', parameters, null),
  };
}

function toXmlFields(issued: IssuedCredentials): object {
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    SessionToken: issued.sessionToken,
    Expiration: new Date(issued.expiresAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  };
}
