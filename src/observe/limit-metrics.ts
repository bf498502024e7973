import { Counter, Gauge, type Registry } from 'prom-client';
import type { Gauges, Observer } from '../core/observer.ts';

/** How near a process is to what it lets through at most. What is refused at a limit is counted among the decisions. */
export function createLimitMetrics(
  registry: Registry,
  gauges: Pick<Gauges, 'connections' | 'webSockets' | 'admissions'>,
): Pick<Observer, 'rateStoreAsked'> {
  const registers = [registry];
  new Gauge({
    name: 'cognito_auth_proxy_client_connections',
    help: 'Open connections of clients.',
    registers,
    collect() {
      this.set(gauges.connections());
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_websockets',
    help: 'WebSockets that are open, or about to be.',
    registers,
    collect() {
      this.set(gauges.webSockets());
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_upstream_requests',
    help: 'Requests that an upstream with a limit deals with.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset();
      for (const [upstream, { underWay }] of gauges.admissions()) this.set({ upstream }, underWay);
    },
  });
  new Gauge({
    name: 'cognito_auth_proxy_upstream_requests_waiting',
    help: 'Requests that wait for their turn at an upstream with a limit.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset();
      for (const [upstream, { waiting }] of gauges.admissions()) this.set({ upstream }, waiting);
    },
  });
  const asked = new Counter({
    name: 'cognito_auth_proxy_rate_limit_store_total',
    help: 'Questions to the store of rate limits outside the process, by whether they were answered in time.',
    labelNames: ['result'],
    registers,
  });
  return { rateStoreAsked: (result) => asked.inc({ result }) };
}

/** @param entries callers remembered in this process */
export function createRateEntriesMetric(registry: Registry, entries: () => number): void {
  new Gauge({
    name: 'cognito_auth_proxy_rate_limit_entries',
    help: 'Callers whose requests are counted in memory.',
    registers: [registry],
    collect() {
      this.set(entries());
    },
  });
}
