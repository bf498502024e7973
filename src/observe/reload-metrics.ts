import { Counter, Gauge, type Registry } from 'prom-client';

/** Counts configurations read while running: once for a service, however many workers take them over. */
export interface ReloadMetrics {
  reloaded(result: 'success' | 'failure'): void;
}

/** @param now seconds since the epoch */
export function createReloadMetrics(registry: Registry, now: () => number): ReloadMetrics {
  const reloads = new Counter({
    name: 'cognito_auth_proxy_config_reloads_total',
    help: 'Configurations read while running.',
    labelNames: ['result'],
    registers: [registry],
  });
  const reloadedAt = new Gauge({
    name: 'cognito_auth_proxy_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was read, in seconds since the epoch.',
    registers: [registry],
  });
  const successful = new Gauge({
    name: 'cognito_auth_proxy_config_last_reload_successful',
    help: 'Whether the configuration that was read last is in force (1) or was refused (0).',
    registers: [registry],
  });
  // Both are there from the start: a counter that appears at 1 has not increased, and a first failure would go unseen.
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0);
  reloadedAt.set(now());
  successful.set(1);
  return {
    reloaded(result) {
      reloads.inc({ result });
      successful.set(result === 'success' ? 1 : 0);
      if (result === 'success') reloadedAt.set(now());
    },
  };
}
