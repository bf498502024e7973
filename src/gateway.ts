import { createAuthenticateStage } from './authenticate/authenticate-stage.ts';
import { createFindToken } from './authenticate/find-token.ts';
import { createTokenCache } from './authenticate/token-cache.ts';
import { createUserPools } from './authenticate/user-pools.ts';
import { createAuthorizeStage } from './authorize/authorize-stage.ts';
import { compileRoutes } from './authorize/compile-routes.ts';
import { compileCors } from './authorize/cors.ts';
import { createRouter } from './authorize/find-route.ts';
import { createRouteStage } from './authorize/route-stage.ts';
import type { Config } from './config/schema/config.ts';
import type { Clock, FetchKeyDocument, ProcessLogger } from './core/ports.ts';
import { createCanonicalizeStage } from './listen/canonicalize.ts';
import { createPipeline, type Pipeline, type Traffic } from './listen/pipeline.ts';
import { createPublicServer } from './listen/public-server.ts';
import { createResponder } from './listen/respond.ts';
import { createMetrics, type Registry } from './observe/metrics.ts';
import { createObserveStage } from './observe/observe-stage.ts';
import { createBalancer } from './prepare/balancer.ts';
import { compileUpstreams } from './prepare/compile-upstreams.ts';
import { createPrepareStage } from './prepare/prepare-stage.ts';
import { createBufferCollector } from './send/collect-buffers.ts';
import { createUpstreamPools } from './send/pools.ts';
import { createSendStage } from './send/send-stage.ts';
import { createTunnels } from './send/tunnels.ts';
import { createSignStage } from './sign/sign-stage.ts';

/** The public port of one process with all stages behind it: what a single process runs, and each of several workers. */
export interface Gateway {
  /** @returns the port */
  start(): Promise<number>;
  /** Whether every user pool has had keys once, and nobody has asked to stop. */
  ready(): boolean;
  /** Resolves when every user pool has had keys once. */
  readonly whenReady: Promise<void>;
  /** Takes over a checked configuration for the next request. */
  reload(config: Config): void;
  /** Unready at once, accepting for a while, then drained, then cut: `server.shutdown`. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly clock: Clock;
  readonly logger: ProcessLogger;
  readonly fetchKeys: FetchKeyDocument;
  readonly dev: boolean;
  /** Processes that share the limits. */
  readonly workers: number;
  readonly registry: Registry;
}

/** Milliseconds between two looks for connections that have become idle while draining. */
const DRAIN_INTERVAL = 100;

/** Wires the rooms together; nothing else does. */
export function createGateway(initial: Config, options: GatewayOptions): Gateway {
  const { clock, logger } = options;
  let config = initial;
  let stopping = false;
  let pipeline: Pipeline;
  const traffic: Traffic = { inFlight: 0 };

  const metrics = createMetrics({
    registry: options.registry,
    routeHistograms: config.metrics.routeHistograms,
    gauges: {
      inFlight: () => traffic.inFlight,
      tokenCacheEntries: () => cache.size,
      keyAges: () => pools.ages(),
      upstreamConnections: () => upstreamPools.counts(),
    },
  });
  const cache = createTokenCache(config.tokenCache.entries);
  const pools = createUserPools({
    cache,
    fetch: options.fetchKeys,
    clock,
    logger,
    observer: metrics,
    dev: options.dev,
  });
  const upstreamPools = createUpstreamPools();
  const balancer = createBalancer(clock, logger);
  const bytesPassed = createBufferCollector();
  const tunnels = createTunnels({ balancer, clock, logger });
  const responder = createResponder();

  const compile = (): Pipeline => {
    const router = createRouter(compileRoutes(config, compileUpstreams(config)));
    const { limits, timeouts, tls, trustedProxies } = config.server;
    return createPipeline(
      [
        createCanonicalizeStage({
          scheme: tls === null ? 'http' : 'https',
          trustedProxies,
          headerBytes: limits.headerBytes,
          urlBytes: limits.urlBytes,
        }),
        createRouteStage(router, compileCors(config.cors)),
        createAuthenticateStage({
          findToken: createFindToken(config.tokenSources),
          pools,
          cache,
          clock,
          observer: metrics,
        }),
        createAuthorizeStage(),
        createPrepareStage(config, balancer),
        createSignStage(),
        createSendStage(upstreamPools.under(config.upstreams), tunnels, {
          balancer,
          clock,
          clientBodyIdle: timeouts.bodyIdle,
          bytesPassed,
        }),
        createObserveStage({ metrics, logger, clock, subject: config.log.subject }),
      ],
      responder,
      clock,
      logger,
      traffic,
    );
  };

  pipeline = compile();
  const server = createPublicServer({
    config: config.server,
    maxConnections: Math.ceil(config.server.limits.connections / options.workers),
    pipeline: () => pipeline,
    clock,
    onRefusedConnection: (code) => metrics.connectionRefused(code),
  });

  return {
    start() {
      pools.configure(config.userPools);
      return server.start();
    },
    ready: () => !stopping && pools.ready(),
    whenReady: pools.whenReady,
    reload(next) {
      const previous = config;
      config = next;
      try {
        const compiled = compile();
        pools.configure(next.userPools);
        pipeline = compiled;
        upstreamPools.keepOnly(next.upstreams);
      } catch (error) {
        config = previous;
        throw error;
      }
      if (next.server.tls !== null) server.renewCertificate(next.server.tls);
      logger.setLevel(next.log.level);
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      const { unready, drain } = config.server.shutdown;
      server.windDown();
      await wait(clock, unready);
      tunnels.closeAll();
      const closed = server.close();
      const sweep = setInterval(() => server.closeIdle(), DRAIN_INTERVAL);
      await Promise.race([closed, wait(clock, drain)]);
      clearInterval(sweep);
      await server.destroy();
      await closed;
      pools.stop();
      await upstreamPools.destroy();
      logger.flush();
    },
  };
}

function wait(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });
}
