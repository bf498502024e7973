/** How often a route may be used, as compiled from the configuration. */
export interface RateLimit {
  /** The id of the route. */
  readonly route: string;
  /** Whose requests are counted together. */
  readonly by: 'caller' | 'client' | 'address';
  /** Requests that come back in each period. */
  readonly requests: number;
  /** Milliseconds. */
  readonly per: number;
  /** Requests that may come at once after a rest. */
  readonly burst: number;
}

/** A request that is to be counted. */
export interface RateQuestion {
  readonly limit: RateLimit;
  /** Whose it is: one of those that the limit counts apart. */
  readonly who: string;
}

/** What a count has come to. */
export interface Tally {
  readonly allowed: boolean;
  /** Requests that would be let through if they came now. */
  readonly remaining: number;
  /** Milliseconds until one more would be. */
  readonly next: number;
}
