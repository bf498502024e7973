import { AggregatorRegistry, type Metric, type Registry } from 'prom-client';
import { Family } from './metric-families.ts';
import type { OwnRegistry } from './own-registry.ts';

/** An exposition, ready to be served. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export async function exposition(registry: Registry): Promise<Exposition> {
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/**
 * Makes one list of metrics of several; each metric's aggregator says how (sum, max, ...).
 * @param lists of each process, as `registry.getMetricsAsJSON` gives them
 */
export function mergeMetrics(lists: readonly (readonly object[])[]): readonly object[] {
  return merged(lists).getMetricsAsArray();
}

/** The metrics of several processes and of this one, as one exposition. */
export async function combineMetrics(
  lists: readonly (readonly object[])[],
  own: Registry,
): Promise<Exposition> {
  return exposition(merged([...lists, await own.getMetricsAsJSON()]));
}

/**
 * The metrics that are ours, as `registry.getMetricsAsJSON` would give them. Those of the process and of Node are left
 * out: some are costly to find out, and those of the event loop start anew whenever they are read, which is for scrapes.
 */
export async function sampleOwn(registry: OwnRegistry): Promise<readonly object[]> {
  const lists = [registry, registry.pageOnly].map((from) => {
    const ours = from.getMetricsAsArray().filter(({ name }) => !/^(process|nodejs)_/.test(name));
    return ours.map(async ({ name }) => (await sampleOne(from.getSingleMetric(name))) ?? { name });
  });
  return Promise.all(lists.flat());
}

/** Samples are kept, to be compared with later ones, and prom-client hands over the objects in which it counts on. */
async function sampleOne(metric: Metric | undefined): Promise<object | undefined> {
  const sample = await metric?.get();
  // Families make their series anew for whoever asks, and are those that may have thousands.
  if (sample === undefined || metric instanceof Family) return sample;
  return { ...sample, values: sample.values.map((series) => ({ ...series })) };
}

/** The same of several processes and of this one. */
export async function combineSamples(
  lists: readonly (readonly object[])[],
  own: OwnRegistry,
): Promise<readonly object[]> {
  return (await merged([...lists, await sampleOwn(own)]).getMetricsAsJSON()) as object[];
}

function merged(lists: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate(lists.map((list) => [...list]));
}
