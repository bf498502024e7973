import type { Cores } from '../machine.ts';
import type { Tools } from '../prerequisites.ts';
import type { Child, Processes } from '../processes.ts';
import type { Mint } from '../world/tokens.ts';

/** What every contender finds in place when it is started. */
export interface Site {
  readonly processes: Processes;
  readonly tools: Tools;
  readonly cores: Cores;
  readonly mint: Mint;
  /** Where configuration and logs go. */
  readonly folder: string;
  /** The service behind all of them. */
  readonly upstream: Upstream;
}

export interface Upstream {
  readonly port: number;
  readonly pid: number;
  /** Requests it has had so far. */
  requests(): Promise<number>;
}

/** What a case may vary. */
export interface Setup {
  readonly routes: number;
  readonly workers: number;
  readonly cores: number;
  /** Verified tokens that may be remembered. */
  readonly cacheEntries: number;
  /** Whether requests are signed for the upstream. */
  readonly signs: boolean;
  /** Arguments for Node, to profile with. */
  readonly nodeArguments: readonly string[];
}

/** A contender at work. */
export interface Running {
  readonly port: number;
  readonly pid: number;
  /** Null for the upstream, which is there for all. */
  readonly child: Child | null;
  /** Look-ups of verified tokens so far; null where nothing is remembered. */
  cacheUse(): Promise<CacheUse | null>;
}

export interface CacheUse {
  readonly hits: number;
  readonly misses: number;
}

export interface Contender {
  /** Whether it checks tokens; the upstream bare does not. */
  readonly checks: boolean;
  /** @param name for its files, of which several may be there at once */
  start(site: Site, setup: Setup, name: string): Promise<Running>;
}
