/** One series of a metric, as it was read. */
export interface Series {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Series by their metric's name, and under it by their labels. Histograms are three metrics, as in an exposition. */
export type Reading = ReadonlyMap<string, ReadonlyMap<string, Series>>;

/** Labels that a series must have to be counted. */
export type Where = Readonly<Record<string, string>>;

interface MetricJson {
  readonly name: string;
  readonly values?: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly metricName?: string;
  }[];
}

/** @param metrics as `registry.getMetricsAsJSON` gives them */
export function readMetrics(metrics: readonly object[]): Reading {
  const reading = new Map<string, Map<string, Series>>();
  for (const metric of metrics as readonly MetricJson[]) {
    for (const { value, labels, metricName } of metric.values ?? []) {
      const name = metricName ?? metric.name;
      let series = reading.get(name);
      if (series === undefined) {
        series = new Map();
        reading.set(name, series);
      }
      // There may be tens of thousands. A series has its labels in the same order every time it is read.
      let key = '';
      for (const label in labels) key += `${labels[label]}\n`;
      series.set(key, { labels, value });
    }
  }
  return reading;
}

/** What counters and histograms have counted between two readings; a worker that died takes nothing away. */
export function difference(now: Reading, then: Reading | undefined): Reading {
  const between = new Map<string, Map<string, Series>>();
  for (const [name, all] of now) {
    if (!/_(total|count|sum|bucket)$/.test(name)) continue;
    const before = then?.get(name);
    const changed = new Map<string, Series>();
    for (const [key, { labels, value }] of all) {
      const more = value - (before?.get(key)?.value ?? 0);
      // Every bucket stays: where one begins is where the one below it ends.
      if (more > 0 || name.endsWith('_bucket')) changed.set(key, { labels, value: more });
    }
    between.set(name, changed);
  }
  return between;
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
  const sums = new Map<string, number>();
  for (const series of reading.get(name)?.values() ?? []) {
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
