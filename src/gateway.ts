import { createAuthenticateStage } from './authenticate/authenticate-stage.ts';
import { createFindToken } from './authenticate/find-token.ts';
import { createIdTokenReader } from './authenticate/id-token.ts';
import { createTokenCache } from './authenticate/token-cache.ts';
import { createUserPools } from './authenticate/user-pools.ts';
import { createAuthorizeStage } from './authorize/authorize-stage.ts';
import { compileRoutes } from './authorize/compile-routes.ts';
import { compileConditions } from './authorize/compile-rule.ts';
import { compileCors } from './authorize/cors.ts';
import { holds } from './authorize/evaluate-condition.ts';
import { createRouter } from './authorize/find-route.ts';
import { createRouteStage } from './authorize/route-stage.ts';
import type { Config } from './config/schema/config.ts';
import type { Clock, FetchKeyDocument, ProcessLogger } from './core/ports.ts';
import { NO_PARAMETERS } from './core/route.ts';
import type { Tracing } from './core/tracing.ts';
import type { Upstream } from './core/upstream.ts';
import { createLimitRate } from './limit/limit-rate.ts';
import type { RateStore } from './limit/rate-store.ts';
import { createCanonicalizeStage } from './listen/canonicalize.ts';
import { connectionsWithin, descriptorLimit } from './listen/descriptors.ts';
import { createPipeline, type Pipeline, type Traffic } from './listen/pipeline.ts';
import { createPublicServer } from './listen/public-server.ts';
import { createResponder } from './listen/respond.ts';
import { loadTracing } from './observe/load-tracing.ts';
import { createMetrics, type OwnRegistry } from './observe/metrics.ts';
import { createObserveStage } from './observe/observe-stage.ts';
import { createRefusedConnectionObserver } from './observe/refused-connections.ts';
import { countFailing, createBalancer } from './prepare/balancer.ts';
import { compileUpstreams } from './prepare/compile-upstreams.ts';
import { createPrepareStage } from './prepare/prepare-stage.ts';
import { createAdmission } from './send/admission.ts';
import { createBufferCollector } from './send/collect-buffers.ts';
import { createUpstreamPools } from './send/pools.ts';
import { createSendStage } from './send/send-stage.ts';
import { createTunnels } from './send/tunnels.ts';
import { compileSigning } from './sign/compile-signing.ts';
import { createSigner } from './sign/signer.ts';

/** The public port of one process with all stages behind it: what a single process runs, and each of several workers. */
export interface Gateway {
  /** @returns the port */
  start(): Promise<number>;
  /** Whether every user pool has had keys, be it once, and nobody has asked to stop. */
  ready(): boolean;
  /** Resolves when every user pool has had keys once. */
  readonly whenReady: Promise<void>;
  /** Takes over a checked configuration for the next request; throws when it cannot, and the last one stays. */
  reload(config: Config): void;
  /** Unready at once, accepting for a while, then drained, then cut: `server.shutdown`. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly clock: Clock;
  readonly logger: ProcessLogger;
  readonly fetchKeys: FetchKeyDocument;
  readonly dev: boolean;
  /** Where HTTPS_PROXY and its kin are looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Processes that share the limits. */
  readonly workers: number;
  readonly registry: OwnRegistry;
  /** Where rate limits are counted. */
  readonly rateStore: RateStore;
}

/** Milliseconds between two looks for connections that have become idle while draining. */
const DRAIN_INTERVAL = 100;

/** Wires the rooms together; nothing else does. */
export function createGateway(initial: Config, options: GatewayOptions): Gateway {
  const { clock, logger } = options;
  let config = initial;
  let stopping = false;
  let pipeline: Pipeline;
  let upstreamsInForce: ReadonlyMap<string, Upstream> = new Map();
  let tracing: Tracing | null = null;
  const traffic: Traffic = { inFlight: 0 };
  /** This process' part of what the workers share. */
  const share = (limit: number | null): number =>
    limit === null ? Number.POSITIVE_INFINITY : Math.ceil(limit / options.workers);

  const metrics = createMetrics({
    registry: options.registry,
    routeHistograms: config.metrics.routeHistograms,
    gauges: {
      inFlight: () => traffic.inFlight,
      tokenCacheEntries: () => cache.size + idTokenCache.size,
      keyAges: () => pools.ages(),
      keyRefreshes: () => pools.refreshes(),
      connections: () => server.connections,
      webSockets: () => tunnels.size,
      upstreamConnections: () => upstreamPools.counts(),
      failingAddresses: () => countFailing(upstreamsInForce),
      admissions: () => admission.counts(),
    },
  });
  const cache = createTokenCache(config.tokenCache.entries);
  const idTokenCache = createTokenCache(config.tokenCache.entries);
  const pools = createUserPools({
    caches: [cache, idTokenCache],
    fetch: options.fetchKeys,
    clock,
    logger,
    observer: metrics,
    dev: options.dev,
  });
  const upstreamPools = createUpstreamPools(clock);
  const balancer = createBalancer(clock, logger);
  const admission = createAdmission(config.upstreams, clock, options.workers);
  const tunnels = createTunnels({
    limits: () => ({
      count: share(config.server.limits.webSockets),
      idle: config.server.timeouts.webSocketIdle,
    }),
    balancer,
    clock,
    logger,
  });
  const limitRate = createLimitRate({
    store: options.rateStore,
    clock,
    logger,
    onStoreFailure: () => config.rateLimits.onStoreFailure ?? 'closed',
    onAsked: metrics.rateStoreAsked,
  });
  const signer = createSigner({
    config,
    clock,
    logger,
    observer: metrics,
    matches: (condition, principal) => holds(condition, principal, NO_PARAMETERS),
    workers: options.workers,
    environment: options.environment,
  });
  const bytesPassed = createBufferCollector();
  const responder = createResponder();

  const compile = (): { pipeline: Pipeline; upstreams: ReadonlyMap<string, Upstream> } => {
    const upstreams = compileUpstreams(config, compileSigning(config, compileConditions));
    const router = createRouter(compileRoutes(config, upstreams));
    const { timeouts, trustedProxies } = config.server;
    // What the sockets were opened with stays until a restart.
    const { limits, tls } = initial.server;
    const stages = [
      createCanonicalizeStage({
        scheme: tls === null ? 'http' : 'https',
        trustedProxies,
        headerBytes: limits.headerBytes,
        headerCount: limits.headerCount,
        urlBytes: limits.urlBytes,
      }),
      createRouteStage(router, compileCors(config.cors)),
      createAuthenticateStage({
        findToken: createFindToken(config.tokenSources),
        pools,
        cache,
        readIdToken: createIdTokenReader({ pools, cache: idTokenCache, clock }),
        clock,
        observer: metrics,
      }),
      createAuthorizeStage(limitRate),
      createPrepareStage(config, balancer),
      signer.stage,
      createSendStage(upstreamPools.under(config.upstreams), tunnels, {
        admission,
        balancer,
        clock,
        clientBodyIdle: timeouts.bodyIdle,
        noticeAnswer: signer.noticeAnswer,
        bytesPassed,
      }),
      createObserveStage({ ...config.log, metrics, logger, clock, random: Math.random }),
    ];
    const compiled = createPipeline(
      tracing === null ? stages : tracing.watch(stages),
      responder,
      clock,
      logger,
      traffic,
    );
    return { pipeline: compiled, upstreams };
  };

  const wantedConnections = share(config.server.limits.connections);
  /** Never more than there are descriptors for. */
  const maxConnections = Math.min(wantedConnections, connectionsWithin(descriptorLimit()));

  ({ pipeline, upstreams: upstreamsInForce } = compile());
  const server = createPublicServer({
    config: config.server,
    maxConnections,
    pipeline: () => pipeline,
    clock,
    onRefusedConnection: createRefusedConnectionObserver(metrics, logger),
  });

  const warnOfDescriptors = (): void =>
    logger.warn(
      { connections: maxConnections },
      'fewer connections are taken than configured; raise ulimit -n',
    );

  return {
    async start() {
      pools.configure(config.userPools);
      try {
        tracing = await loadTracing(options.environment, { clock, logger });
        if (tracing !== null) ({ pipeline, upstreams: upstreamsInForce } = compile());
        await options.rateStore.start();
        const port = await server.start();
        // Behind the line that says where we listen, for which others wait.
        if (maxConnections < wantedConnections) setImmediate(warnOfDescriptors);
        return port;
      } catch (error) {
        pools.stop();
        options.rateStore.stop();
        await tracing?.stop();
        throw error;
      }
    },
    ready: () => !stopping && pools.ready(),
    whenReady: pools.whenReady,
    reload(next) {
      const previous = config;
      config = next;
      try {
        const compiled = compile();
        if (next.server.tls !== null) server.renewCertificate(next.server.tls);
        pools.configure(next.userPools);
        signer.update(next);
        admission.configure(next.upstreams);
        ({ pipeline, upstreams: upstreamsInForce } = compiled);
        upstreamPools.keepOnly(next.upstreams);
      } catch (error) {
        config = previous;
        throw error;
      }
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
      signer.stop();
      options.rateStore.stop();
      upstreamPools.destroy();
      await tracing?.stop();
      await logger.flush();
    },
  };
}

function wait(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });
}
