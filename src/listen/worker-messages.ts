import type { Config } from '../config/schema/config.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'configure'; readonly config: Config; readonly dev: boolean; readonly workers: number }
  | { readonly kind: 'collect'; readonly id: number }
  | { readonly kind: 'keys'; readonly id: number; readonly answer: KeysAnswer }
  | { readonly kind: 'rates'; readonly id: number; readonly tallies: readonly Tally[] }
  | { readonly kind: 'stop' };

/** What a worker tells the primary. */
export type ToPrimary =
  | { readonly kind: 'online' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'collected'; readonly id: number; readonly metrics: readonly object[] }
  | { readonly kind: 'takeRates'; readonly id: number; readonly questions: readonly RateQuestion[] }
  | { readonly kind: 'fetchKeys'; readonly id: number; readonly url: string; readonly timeout: number };

export type KeysAnswer =
  | { readonly kind: 'document'; readonly document: string; readonly fresh: boolean }
  | { readonly kind: 'absent' | 'failed'; readonly reason: string };
