import { AggregatorRegistry, type Registry } from 'prom-client';

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

function merged(lists: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate(lists.map((list) => [...list]));
}
