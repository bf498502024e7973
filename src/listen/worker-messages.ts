import type { Config } from '../config/schema/config.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly config: Config;
  readonly dev: boolean;
  /** How many share the limits. */
  readonly workers: number;
}

/** What the primary tells a worker. */
export type ToWorker =
  | ({ readonly kind: 'start' } & WorkerSettings)
  | { readonly kind: 'reload'; readonly id: number; readonly config: Config }
  | { readonly kind: 'collect'; readonly id: number }
  | { readonly kind: 'sample'; readonly id: number }
  | { readonly kind: 'keys'; readonly id: number; readonly answer: KeysAnswer }
  | { readonly kind: 'rates'; readonly id: number; readonly tallies: readonly Tally[] }
  | { readonly kind: 'stop' };

/** What a worker tells the primary. */
export type ToPrimary =
  | { readonly kind: 'online' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'fetchKeys'; readonly id: number; readonly url: string; readonly timeout: number }
  | { readonly kind: 'takeRates'; readonly id: number; readonly questions: readonly RateQuestion[] }
  | WorkerAnswer;

/** Answers to what the primary has asked, under the id it was asked with. */
export type WorkerAnswer =
  | { readonly kind: 'collected'; readonly id: number; readonly metrics: readonly object[] }
  /** Like `collected`, without what the process and Node tell. */
  | { readonly kind: 'sampled'; readonly id: number; readonly metrics: readonly object[] }
  /** `refused` says why the configuration could not be taken over; null: it was. */
  | { readonly kind: 'reloaded'; readonly id: number; readonly refused: string | null };

export type KeysAnswer =
  | { readonly kind: 'document'; readonly document: string; readonly fresh: boolean }
  | { readonly kind: 'absent' | 'failed'; readonly reason: string };
