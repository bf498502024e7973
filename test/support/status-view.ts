import type { z } from 'zod';
import { configSchema } from '../../src/config/schema/config.ts';
import { History } from '../../src/observe/status/history.ts';
import { type Reading, readMetrics } from '../../src/observe/status/reading.ts';
import type { View } from '../../src/observe/status/view.ts';

type ConfigInput = z.input<typeof configSchema>;

/** 02:51 in the night. */
export const NIGHT = Date.UTC(2026, 0, 1, 2, 51);

/** Series as an exposition has them, such as `name{label="value"} 3`, in the form that a registry gives them in. */
export function metricsOf(exposition: readonly string[]): object[] {
  return exposition.map((line) => {
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text]) => [key, text]);
    return { name, values: [{ labels: Object.fromEntries(pairs), value: Number(value) }] };
  });
}

export const readingOf = (exposition: readonly string[]): Reading => readMetrics(metricsOf(exposition));

/** A proxy in front of `orders` and, at three addresses, `reports`. */
export function configOf(more: Partial<ConfigInput> = {}): View['config'] {
  return configSchema.parse({
    userPools: { main: { userPoolId: 'us-east-1_AbCdEf123', clientIds: null } },
    upstreams: {
      orders: { url: 'http://10.0.0.1' },
      reports: { urls: ['http://10.0.0.2', 'http://10.0.0.3', 'http://10.0.0.4'] },
    },
    routes: [
      { id: 'orders', match: { path: '/orders' }, allow: { groups: ['buyers'] }, upstream: 'orders' },
      { id: 'reports', match: { path: '/reports' }, allow: 'authenticated', upstream: 'reports' },
    ],
    ...more,
  });
}

/** What is seen a minute after the start, when all of this was counted in it. */
export function viewOf(exposition: readonly string[], more: Partial<View> = {}): View {
  const now = readingOf(['cognito_auth_proxy_jwks_age_seconds{pool="main"} 60', ...exposition]);
  const history = new History(0);
  return {
    config: configOf(),
    phase: 'ready',
    time: NIGHT,
    now,
    recent: history.add(now, 60_000, NIGHT),
    minutes: history.minutes,
    lateness: 0,
    ...more,
  };
}
