import { Agent as HttpsAgent } from 'node:https';
import type { UpstreamConfig } from '../config/schema/upstreams.ts';
import type { Clock } from '../core/ports.ts';
import type { Target } from '../core/upstream.ts';
import { ConnectionPool } from './http/connection-pool.ts';
import { createConnector, serverName } from './http/connector.ts';

/** The connections to one address of an upstream. */
export interface Connections {
  readonly pool: ConnectionPool;
  /** For upgrades, which leave the pool's connections alone. */
  readonly agent: HttpsAgent | false;
  /** Milliseconds for a connection to be made. */
  readonly connectTimeout: number;
}

/** Finds the connections to an address, as one configuration says they are to be made. */
export type FindConnections = (upstream: string, target: Target) => Connections;

/** Connections to all upstreams; those whose settings did not change survive a reload. */
export interface UpstreamPools {
  /**
   * Connections for the requests under one configuration. They are made when first asked for, also after another configuration
   * has come: a request that was accepted before a reload is still sent as it was judged.
   */
  under(upstreams: Readonly<Record<string, UpstreamConfig>>): FindConnections;
  /** Closes what another configuration has no use for, once the requests on it are done. */
  keepOnly(upstreams: Readonly<Record<string, UpstreamConfig>>): void;
  /** Open connections of each upstream. */
  counts(): ReadonlyMap<string, number>;
  /** Cuts all of them. */
  destroy(): void;
}

interface Opened {
  readonly upstream: string;
  readonly connections: Connections;
}

export function createUpstreamPools(clock: Clock): UpstreamPools {
  /** By upstream, settings and address. */
  const open = new Map<string, Opened>();
  /** Out of use, but for the requests still on them. */
  const closing = new Set<Opened>();

  const retire = (opened: Opened): void => {
    closing.add(opened);
    void opened.connections.pool.close().then(() => closing.delete(opened));
  };

  return {
    under(upstreams) {
      const known = new Map<Target, Connections>();
      return (upstream, target) => {
        const before = known.get(target);
        if (before !== undefined && !before.pool.closed) return before;
        const config = upstreams[upstream];
        if (config === undefined) throw new Error(`no upstream ${upstream}`);
        const key = `${keyOf(upstream, config)} ${target.origin}`;
        const opened = open.get(key) ?? { upstream, connections: connect(target.origin, config, clock) };
        open.set(key, opened);
        known.set(target, opened.connections);
        return opened.connections;
      };
    },
    keepOnly(upstreams) {
      const kept = new Set(
        Object.entries(upstreams).flatMap(([name, config]) =>
          originsOf(config).map((origin) => `${keyOf(name, config)} ${origin}`),
        ),
      );
      for (const [key, opened] of open) {
        if (kept.has(key)) continue;
        open.delete(key);
        retire(opened);
      }
    },
    counts() {
      const counts = new Map<string, number>();
      for (const { upstream, connections } of [...open.values(), ...closing]) {
        counts.set(upstream, (counts.get(upstream) ?? 0) + connections.pool.size);
      }
      return counts;
    },
    destroy() {
      for (const { connections } of [...open.values(), ...closing]) connections.pool.destroy();
    },
  };
}

/** What connections depend on; all else may change without them. */
function keyOf(upstream: string, { timeouts, tls }: UpstreamConfig): string {
  return `${upstream} ${JSON.stringify([timeouts.connect, timeouts.keepAlive, tls])}`;
}

function originsOf({ url, urls }: UpstreamConfig): string[] {
  return (urls ?? (url === undefined ? [] : [url])).map((text) => new URL(text).origin);
}

function connect(origin: string, config: UpstreamConfig, clock: Clock): Connections {
  const { timeouts, tls } = config;
  const material = {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    servername: serverName(tls?.servername ?? new URL(origin).hostname),
  };
  return {
    pool: new ConnectionPool({
      connect: createConnector(origin, material),
      connectTimeout: timeouts.connect,
      keepAlive: timeouts.keepAlive,
      clock,
    }),
    agent: origin.startsWith('https:') ? new HttpsAgent(material) : false,
    connectTimeout: timeouts.connect,
  };
}
