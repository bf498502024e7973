import { Gauge, type Registry } from 'prom-client';
import type { Gauges } from '../core/observer.ts';

/** Registers what is looked up when it is scraped; how near the limits are has a place of its own. */
export function registerGauges(registry: Registry, gauges: Gauges): void {
  const registers = [registry];
  new Gauge({
    name: 'cognito_auth_proxy_token_cache_entries',
    help: 'Verified tokens remembered.',
    registers,
    collect() {
      this.set(gauges.tokenCacheEntries());
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_jwks_age_seconds',
    help: 'Seconds since the keys in use were fetched, of the oldest set of the pool.',
    labelNames: ['pool'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [pool, age] of gauges.keyAges()) this.set({ pool }, age);
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_jwks_refresh_seconds',
    help: 'Seconds between two fetches of the keys of the pool: what their age is to be measured by.',
    labelNames: ['pool'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [pool, seconds] of gauges.keyRefreshes()) this.set({ pool }, seconds);
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_upstream_connections',
    help: 'Open connections to the upstream.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset();
      for (const [upstream, connections] of gauges.upstreamConnections()) this.set({ upstream }, connections);
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_upstream_failing_addresses',
    help: 'Addresses of the upstream that failed several times in a row and have not answered since.',
    labelNames: ['upstream'],
    // Each worker finds out for itself.
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [upstream, addresses] of gauges.failingAddresses()) this.set({ upstream }, addresses);
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_requests_in_flight',
    help: 'Requests accepted and not yet answered.',
    registers,
    collect() {
      this.set(gauges.inFlight());
    },
  });
}
