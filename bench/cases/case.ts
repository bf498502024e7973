import type { RequestKind } from '../world/routes.ts';

/** Who may take part. */
export type ContenderName = 'proxy' | 'haproxy' | 'usualStack' | 'upstream';

/** One line of a case's table: a contender, and what is particular about it there. */
export interface Entrant {
  readonly label: string;
  readonly contender: ContenderName;
  /** Default: 200. */
  readonly routes?: number;
  /** Distinct tokens that come round. Default: 1,000. */
  readonly tokens?: number;
  /** Verified tokens that may be remembered. Default: as the proxy's own default, 50,000. */
  readonly cacheEntries?: number;
  /** Default: 1. */
  readonly workers?: number;
  /** Cores it may use; the last of the machine is the load's as well. Default: 1. */
  readonly cores?: number;
  /** Whether it signs for the upstream, with each caller's own credentials. Default: no. */
  readonly signs?: boolean;
  /** What goes on beside the load that is measured. */
  readonly beside?: Beside;
}

/** As many connections again that send forged tokens only; or many connections that send nothing. */
export type Beside = { readonly kind: 'flood' } | { readonly kind: 'idle'; readonly connections: number };

export type Load =
  /** As much as the contender takes, on 64 connections. */
  | { readonly kind: 'saturate'; readonly request: RequestKind }
  /** A fixed rate: a share of what one entrant takes at most, found out beforehand. */
  | { readonly kind: 'paced'; readonly request: RequestKind; readonly share: number; readonly of: string }
  /** One answer of a gibibyte. */
  | { readonly kind: 'stream' };

/** A figure that can be compared. */
export type Metric = 'rate' | 'cpu' | 'p50' | 'p99' | 'firstPeakMemory' | 'idleMemory' | 'ready';

/** What must be reached. */
export interface Goal {
  readonly what: string;
  readonly metric: Metric;
  readonly entrant: string;
  /** The entrant it is divided by; left out: the figure itself is judged. */
  readonly against?: string;
  readonly direction: 'at least' | 'at most';
  readonly bar: number;
  readonly aim?: number;
}

/** What one case compares, and how. */
export interface Case {
  readonly letter: string;
  readonly name: string;
  readonly title: string;
  readonly load: Load;
  readonly entrants: readonly Entrant[];
  /** What the last column of the table compares, and with whom. */
  readonly compares: Metric;
  readonly reference: string;
  /** Whether this proxy is to find every token remembered, or none; checked against its own metrics. */
  readonly remembered?: 'all' | 'none';
  readonly goals: readonly Goal[];
}

/** A case that is not ready to be run, and why. */
export interface MissingCase {
  readonly letter: string;
  readonly name: string;
  readonly missing: string;
}
