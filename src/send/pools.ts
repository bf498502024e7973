import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { UpstreamConfig } from '../config/schema/upstreams.ts';
import type { Target } from '../core/upstream.ts';

/** The connections to one address of an upstream. */
export interface Connections {
  readonly pool: Pool;
  /** Whom the address must prove to be, over TLS. */
  readonly servername: string;
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
  destroy(): Promise<void>;
}

/** Bytes of an upstream's header section; larger is 502. Twice what clients may send: cookies are set one by one. */
const ANSWER_HEADER_BYTES = 65_536;

interface Opened {
  readonly upstream: string;
  readonly connections: Connections;
}

export function createUpstreamPools(): UpstreamPools {
  /** By upstream, settings and address. */
  const open = new Map<string, Opened>();
  /** Out of use, but for the requests still on them. */
  const closing = new Set<Opened>();

  const retire = (opened: Opened): void => {
    closing.add(opened);
    // An error while closing has nobody left to tell.
    void opened.connections.pool.close().then(
      () => closing.delete(opened),
      () => closing.delete(opened),
    );
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
        const opened = open.get(key) ?? { upstream, connections: connect(target.origin, config) };
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
        counts.set(upstream, (counts.get(upstream) ?? 0) + connections.pool.stats.connected);
      }
      return counts;
    },
    async destroy() {
      await Promise.all([...open.values(), ...closing].map(({ connections }) => connections.pool.destroy()));
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

function connect(origin: string, config: UpstreamConfig): Connections {
  const { timeouts, tls } = config;
  const hostname = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  const servername = tls?.servername ?? hostname;
  const material = {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    // An address is no server name (RFC 6066 section 3); it is then looked for in the certificate by itself.
    servername: isIP(servername) === 0 ? servername : '',
  };
  return {
    pool: new Pool(origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: timeouts.keepAlive,
      keepAliveMaxTimeout: timeouts.keepAlive,
      maxHeaderSize: ANSWER_HEADER_BYTES,
      connect: createConnector(timeouts.connect, material),
    }),
    servername,
    agent: origin.startsWith('https:') ? new HttpsAgent({ ...material }) : false,
    connectTimeout: timeouts.connect,
  };
}

/**
 * undici's connector, with two of its habits broken: it asks for the name in the request's Host header, which may be the client's;
 * and it takes a reset for the end of an answer that only the end of the connection delimits, which would pass half an answer off as whole.
 */
function createConnector(
  timeout: number,
  material: { readonly servername: string },
): buildConnector.connector {
  const connector = buildConnector({ allowH2: false, timeout, ...material });
  return (options, callback) => {
    connector({ ...options, servername: material.servername }, (...result) => {
      const [, socket] = result;
      socket?.on('error', nameReset);
      callback(...result);
    });
  };
}

/** undici knows such a reset by its code. */
function nameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'ERR_UPSTREAM_RESET';
}
