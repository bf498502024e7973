import { Agent as HttpsAgent } from 'node:https';
import { Pool } from 'undici';
import type { UpstreamConfig } from '../config/schema/upstreams.ts';
import type { Target } from '../core/upstream.ts';

/** The connections to one address of an upstream. */
export interface Connections {
  readonly pool: Pool;
  /** For upgrades, which leave the pool's connections alone. */
  readonly agent: HttpsAgent | false;
  /** Milliseconds an upgrade may take. */
  readonly upgradeTimeout: number;
}

/** Connections to all upstreams; those whose settings did not change survive a reload. */
export interface UpstreamPools {
  connections(upstream: string, target: Target): Connections;
  configure(upstreams: Readonly<Record<string, UpstreamConfig>>): void;
  /** Open connections of each upstream. */
  counts(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export function createUpstreamPools(): UpstreamPools {
  let settings: Readonly<Record<string, UpstreamConfig>> = {};
  let open = new Map<string, Connections>();
  const keyOf = (upstream: string, origin: string): string => `${upstream} ${origin}`;

  return {
    connections(upstream, target) {
      const key = keyOf(upstream, target.origin);
      const known = open.get(key);
      if (known !== undefined) return known;
      const config = settings[upstream];
      if (config === undefined) throw new Error(`no upstream ${upstream}`);
      const connections = connect(target.origin, config);
      open.set(key, connections);
      return connections;
    },
    configure(upstreams) {
      const kept: typeof open = new Map();
      for (const [key, connections] of open) {
        const name = key.slice(0, key.indexOf(' '));
        if (JSON.stringify(settings[name]) === JSON.stringify(upstreams[name])) kept.set(key, connections);
        // Requests under way finish; an error while closing has nobody left to tell.
        else connections.pool.close().catch(() => undefined);
      }
      open = kept;
      settings = upstreams;
    },
    counts() {
      const counts = new Map<string, number>();
      for (const [key, { pool }] of open) {
        const name = key.slice(0, key.indexOf(' '));
        counts.set(name, (counts.get(name) ?? 0) + pool.stats.connected);
      }
      return counts;
    },
    async close() {
      await Promise.all([...open.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

function connect(origin: string, config: UpstreamConfig): Connections {
  const { timeouts, tls } = config;
  const material = {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
  };
  return {
    pool: new Pool(origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: timeouts.keepAlive,
      keepAliveMaxTimeout: timeouts.keepAlive,
      headersTimeout: timeouts.response,
      bodyTimeout: timeouts.bodyIdle,
      connect: { timeout: timeouts.connect, ...material },
    }),
    agent: origin.startsWith('https:') ? new HttpsAgent({ ...material }) : false,
    upgradeTimeout: timeouts.connect + timeouts.response,
  };
}
