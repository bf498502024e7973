import type { RateLimit } from './rate-limit.ts';
import type { Rule } from './rule.ts';
import type { Upstream } from './upstream.ts';

/** A route as compiled from the configuration. */
export interface Route {
  readonly id: string;
  /** Null: any host. */
  readonly host: string | null;
  /** Null: any method. HEAD is included wherever GET is. */
  readonly methods: ReadonlySet<string> | null;
  /** The path template in canonical form. */
  readonly template: string;
  /** Bits of Irregularity that this route lets through. */
  readonly permit: number;
  readonly rule: Rule;
  /** False: whom the rule refuses is let through, marked. Never where requests are signed. */
  readonly enforce: boolean;
  /** Null: it may be used as often as it may be used at all. */
  readonly rateLimit: RateLimit | null;
  /** Whether the rule compares a claim with a path parameter. */
  readonly readsParameters: boolean;
  readonly upstream: Upstream;
  readonly stripPrefix: string | null;
  readonly cors: CorsPolicy | null;
  readonly forwardToken: boolean;
  /** Null: no limit. */
  readonly bodyBytes: number | null;
  /** Milliseconds. */
  readonly responseTimeout: number;
  /** Milliseconds. */
  readonly bodyIdleTimeout: number;
}

/** Path parameters by name, percent-decoded as UTF-8. */
export type PathParameters = Readonly<Record<string, string>>;

export const NO_PARAMETERS: PathParameters = Object.freeze(Object.create(null) as Record<string, string>);

/** `upstream`: preflights pass unjudged, the upstream answers them. Never where requests are signed. */
export type CorsPolicy =
  | 'upstream'
  | {
      readonly anyOrigin: boolean;
      readonly origins: ReadonlySet<string>;
      readonly credentials: boolean;
      /** Values of the preflight's headers, ready to send. */
      readonly methods: string;
      readonly headers: string;
      readonly exposeHeaders: string;
      readonly maxAge: string;
    };
