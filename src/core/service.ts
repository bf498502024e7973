import type { Clock, ProcessLogger } from './ports.ts';

/** What a test, `dev` and the commands may put in place of the defaults. */
export interface ServiceOverrides {
  readonly clock?: Clock;
  readonly logger?: ProcessLogger;
  /** Where HTTPS_PROXY and its kin are looked for. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Accepts http issuers and the published key of the local emulator. Never in production. */
  readonly dev?: boolean;
}

/** Where a running service can be reached. */
export interface ServiceAddresses {
  /** Origin of the public port, such as `http://127.0.0.1:8080`. */
  readonly proxy: string;
  /** Origin of the admin port. */
  readonly admin: string;
}
