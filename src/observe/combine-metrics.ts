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
 * Combines the metrics of several processes into one exposition; each metric's aggregator says how (sum, max, ...).
 * @param metrics of each process, as `registry.getMetricsAsJSON` gives them
 */
export async function combineMetrics(
  metrics: readonly (readonly object[])[],
  own: Registry,
): Promise<Exposition> {
  const all = [...metrics, await own.getMetricsAsJSON()].map((list) => [...list]);
  return exposition(AggregatorRegistry.aggregate(all));
}
