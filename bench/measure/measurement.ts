/** One contender under load once. */
export interface Measurement {
  /** Answers a second; of a stream, MiB a second. */
  readonly rate: number;
  /** CPU time of the contender in microseconds for each answer; of a stream, for each MiB. */
  readonly cpu: number;
  /** Milliseconds; null where there is nothing to tell. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Answers a second to what went on beside the load; null when nothing did. */
  readonly beside: number | null;
  /** The contender's most resident memory since its start, in bytes. */
  readonly peakMemory: number;
  /** Share of the cores' time that went to others than contender, load and upstream. */
  readonly disturbed: number;
}

/** What the load generators tell. */
export interface LoadResult {
  /** Answers, or MiB. */
  readonly amount: number;
  readonly seconds: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Requests of the file that have been used up, counted from its beginning. */
  readonly cursor: number;
}
