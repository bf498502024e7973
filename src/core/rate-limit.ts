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
