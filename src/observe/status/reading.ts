/** One series of a metric, as it was read. */
export interface Series {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Series by their metric's name, and under it by their labels. Histograms are three metrics, as in an exposition. */
export interface Reading {
  /** Undefined when there is none. */
  get(name: string): ReadonlyMap<string, Series> | undefined;
}

/** Labels that a series must have to be counted. */
export type Where = Readonly<Record<string, string>>;

interface MetricJson {
  readonly name: string;
  readonly values?: readonly (Series & { readonly metricName?: string })[];
}

/** @param metrics as `registry.getMetricsAsJSON` gives them */
export function readMetrics(metrics: readonly object[]): Reading {
  const all = metrics as readonly MetricJson[];
  return whenAsked((name) => {
    const histogram = name.replace(/_(bucket|sum|count)$/, '');
    const found = new Map<string, Series>();
    for (const metric of all) {
      if (metric.name !== name && metric.name !== histogram) continue;
      for (const series of metric.values ?? []) {
        if ((series.metricName ?? metric.name) === name) found.set(keyOf(series), series);
      }
    }
    return found.size === 0 ? undefined : found;
  });
}

/** Where labels remember their key: those of one process are the same objects in every sample. */
const KEY = Symbol('key');

/** A series has its labels in the same order every time it is read. */
function keyOf(series: Series): string {
  const labels: Series['labels'] & { [KEY]?: string } = series.labels;
  let key = labels[KEY];
  if (key === undefined) {
    key = '';
    for (const label in labels) key += `${labels[label]}\n`;
    labels[KEY] = key;
  }
  return key;
}

/** There may be tens of thousands of series, and most are of no use while nobody looks. */
function whenAsked(find: Reading['get']): Reading {
  const found = new Map<string, ReturnType<Reading['get']>>();
  return {
    get(name) {
      if (!found.has(name)) found.set(name, find(name));
      return found.get(name);
    },
  };
}

/** What counters and histograms have counted between two readings; a worker that died takes nothing away. */
export function difference(now: Reading, then: Reading | undefined): Reading {
  return whenAsked((name) => {
    const all = now.get(name);
    if (all === undefined || !/_(total|count|sum|bucket)$/.test(name)) return undefined;
    const before = then?.get(name);
    // Every bucket stays: where one begins is where the one below it ends.
    const least = name.endsWith('_bucket') ? Number.NEGATIVE_INFINITY : 0;
    const changed = new Map<string, Series>();
    for (const [key, { labels, value }] of all) {
      const more = value - (before?.get(key)?.value ?? 0);
      if (more > least) changed.set(key, { labels, value: more });
    }
    return changed;
  });
}

/** The value of a label; empty where there is none. */
export function textOf({ labels }: Series, label: string): string {
  return String(labels[label] ?? '');
}

/** The sum of the series with these labels; 0 when there are none. */
export function total(reading: Reading, name: string, where: Where = {}): number {
  let sum = 0;
  for (const series of reading.get(name)?.values() ?? []) if (matches(series, where)) sum += series.value;
  return sum;
}

/** The value of a gauge; undefined when it is not there. */
export function gaugeOf(reading: Reading, name: string, where: Where = {}): number | undefined {
  for (const series of reading.get(name)?.values() ?? []) if (matches(series, where)) return series.value;
  return undefined;
}

/** Sums by the values of one label. */
export function totalsBy(
  reading: Reading,
  name: string,
  label: string,
  where: Where = {},
): Map<string, number> {
  return sumsBy(reading.get(name)?.values() ?? [], label, where);
}

export function sumsBy(all: Iterable<Series>, label: string, where: Where = {}): Map<string, number> {
  const sums = new Map<string, number>();
  for (const series of all) {
    if (!matches(series, where)) continue;
    const key = textOf(series, label);
    sums.set(key, (sums.get(key) ?? 0) + series.value);
  }
  return sums;
}

function matches({ labels }: Series, where: Where): boolean {
  for (const label in where) if (String(labels[label]) !== where[label]) return false;
  return true;
}
