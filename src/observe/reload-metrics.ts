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
  reloadedAt.set(now());
  return {
    reloaded(result) {
      reloads.inc({ result });
      if (result === 'success') reloadedAt.set(now());
    },
  };
}
