import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Served {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registry: Registry;
}

/**
 * What prom-client asks of a metric when it is scraped. Its own counters and histograms check names and values at each count; the
 * few metrics that every request moves are counted here by a plain addition, and handed over when asked for.
 */
export abstract class Family {
  readonly aggregator = 'sum';
  abstract readonly type: 'counter' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];

  constructor({ name, help, labelNames, registry }: FamilyOptions) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    registry.registerMetric(this as unknown as Metric);
  }

  /** Series that stay as they are when more is counted. */
  protected abstract served(): Served[];

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.served() };
  }
}

/** One series of a counter. */
export interface CounterSeries {
  value: number;
}

/**
 * Numbers that are counted side by side, each a series of some family or not counted yet. What a request counts for its route is in one
 * place so: with thousands of routes, every object that it touches is one more to be fetched from memory.
 */
export type Counts = number[];

export class CounterFamily extends Family {
  readonly type = 'counter';
  readonly #series: { readonly labels: Labels; readonly counter: Readonly<CounterSeries> }[] = [];

  /** Adds a series; to be kept by the caller, since it is not looked for among those that are there. */
  add(labels: Labels): CounterSeries {
    const counter = { value: 0 };
    this.#series.push({ labels, counter });
    return counter;
  }

  /** Adds a series that is counted at one place of these. */
  addAt(labels: Labels, counts: Counts, at: number): void {
    const counter = {
      get value() {
        return counts[at] as number;
      },
    };
    this.#series.push({ labels, counter });
  }

  protected served(): Served[] {
    return this.#series.map(({ labels, counter }) => ({ labels, value: counter.value }));
  }
}

/** One series of a histogram. */
export class HistogramSeries {
  readonly bounds: readonly number[];
  /** How many were at most each bound and above the one before; those above all bounds come last. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds in ascending order */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** @returns the index of the bucket that it was counted in */
  observe(value: number): number {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i += 1;
    counts[i] = (counts[i] as number) + 1;
    this.sum += value;
    return i;
  }
}

export class HistogramFamily extends Family {
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #series: { readonly labels: Labels; readonly histogram: HistogramSeries }[] = [];

  /** @param options `bounds`: of the buckets, in ascending order */
  constructor(options: FamilyOptions & { readonly bounds: readonly number[] }) {
    super(options);
    this.#bounds = options.bounds;
  }

  /** Adds a series; to be kept by the caller, since it is not looked for among those that are there. */
  add(labels: Labels): HistogramSeries {
    const histogram = new HistogramSeries(this.#bounds);
    this.#series.push({ labels, histogram });
    return histogram;
  }

  /** Prometheus counts in each bucket what is in those before it too. */
  protected served(): Served[] {
    return this.#series.flatMap(({ labels, histogram }) => {
      const { bounds, counts, sum } = histogram;
      const values: Served[] = [];
      let below = 0;
      counts.forEach((count, i) => {
        below += count;
        values.push({
          metricName: `${this.name}_bucket`,
          labels: { le: bounds[i] ?? '+Inf', ...labels },
          value: below,
        });
      });
      values.push({ metricName: `${this.name}_sum`, labels, value: sum });
      values.push({ metricName: `${this.name}_count`, labels, value: below });
      return values;
    });
  }
}

/**
 * How many were in each bucket, and nothing else: for thousands of series, most of whose buckets are empty and not told. The
 * label `bucket` is its index. The buckets are found by whoever counts.
 */
export class BucketFamily extends Family {
  readonly type = 'counter';
  readonly #buckets: number;
  /** With the labels of each bucket, made when it is first told: samples are kept, and have them in common. */
  readonly #series: {
    readonly labels: Labels;
    readonly counts: Readonly<Counts>;
    readonly from: number;
    readonly told: Labels[];
  }[] = [];

  constructor(options: FamilyOptions & { readonly buckets: number }) {
    super(options);
    this.#buckets = options.buckets;
  }

  /** Adds a series whose buckets are counted in these, from one place on. */
  addAt(labels: Labels, counts: Counts, from: number): void {
    this.#series.push({ labels, counts, from, told: [] });
  }

  protected served(): Served[] {
    const values: Served[] = [];
    for (const { labels, counts, from, told } of this.#series) {
      for (let bucket = 0; bucket < this.#buckets; bucket++) {
        const value = counts[from + bucket] as number;
        if (value === 0) continue;
        const known = told[bucket] ?? { ...labels, bucket: String(bucket) };
        told[bucket] = known;
        values.push({ labels: known, value });
      }
    }
    return values;
  }
}
