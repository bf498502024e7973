import type { Condition } from './rule.ts';

/** How the requests of one upstream are signed: compiled from the configuration, plain data without secrets. */
export interface SigningPlan {
  /** The signing name of the AWS service, such as `execute-api`. */
  readonly service: string;
  readonly region: string;
  /** S3's normal form: the path encoded once, not twice. */
  readonly s3: boolean;
  /** What of a body the signature covers: its hash, nothing, or each chunk as it passes. */
  readonly payload: 'hash' | 'unsigned' | 'stream';
  readonly source: CredentialPlan;
  /** Roles by rules, first match wins. */
  readonly roles: readonly RoleRule[];
  /** For those whom no rule matches; null: the source's own choice. */
  readonly roleArn: string | null;
}

export interface RoleRule {
  readonly when: Condition;
  readonly roleArn: string;
}

/** Where credentials come from. `name` is unique among all sources and is what metrics and logs say. */
export type CredentialPlan =
  | IdentityPoolPlan
  /** The AWS SDK's own search, or an access key from the configuration: one identity for all callers. */
  | { readonly kind: 'own'; readonly name: string };

/** Each caller's own credentials, from an identity pool. */
export interface IdentityPoolPlan {
  readonly kind: 'identityPool';
  readonly name: string;
  /** The user pool whose callers it knows, by its name in the configuration. */
  readonly userPool: string;
  /** The key in `Logins` for that user pool's ID tokens. */
  readonly provider: string;
  /** The key in `Logins` for tokens of identity pools themselves. */
  readonly ownProvider: string;
  readonly flow: 'enhanced' | 'basic';
  /** The role of the basic flow when nothing else names one. */
  readonly roleArn: string | null;
  readonly guest: boolean;
  /** Whether the caller's ID token is needed; a developer provider vouches for callers by itself. */
  readonly needsIdToken: boolean;
  /** Other providers' tokens: the key in `Logins`, and the request header that carries the token. */
  readonly headerLogins: readonly { readonly provider: string; readonly header: string }[];
  /** The developer provider, and the claim that names the user to it. */
  readonly developer: { readonly provider: string; readonly claim: string } | null;
}

/** What became of a wish for credentials. */
export type CredentialResult = 'cached' | 'fetched' | 'denied' | 'throttled' | 'unavailable';

/** Told of every use of a source of credentials. */
export interface CredentialObserver {
  /**
   * @param source the identity pool's name, or `own/` and the name of an upstream that the proxy's own rights sign for
   * @param seconds how long fetching took; null when nothing was fetched
   */
  credentialsUsed(source: string, result: CredentialResult, seconds: number | null): void;
}
