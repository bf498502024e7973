import { EventEmitter, once } from 'node:events';
import type { z } from 'zod';
import { configSchema } from '../../src/config/schema/config.ts';
import type { Clock, ProcessLogger } from '../../src/core/ports.ts';
import { createService, type Service } from '../../src/service.ts';
import { type KeyServer, startKeyServer } from './key-server.ts';
import { exchangeRaw, type RawResponse, requestBytes } from './raw-http.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';
import { accessClaims, makeKey, type SigningKey, signToken, type TokenClaims } from './token-factory.ts';

export const CLIENT_ID = '1example23456789';
export const POOL_ID = 'us-east-1_Test00001';

type ConfigInput = z.input<typeof configSchema>;

/** What a test says of the configuration; the rest is a listening proxy with one pool and one upstream, `board`. Upstreams without an address are the recording one. */
export type ProxyConfig = Partial<Omit<ConfigInput, 'routes'>> & { readonly routes: ConfigInput['routes'] };

/** A whole proxy on free ports of the loopback, between a raw client and an upstream that records. */
export interface ProxyUnderTest {
  readonly origin: string;
  readonly admin: string;
  readonly service: Service;
  readonly upstream: RecordingUpstream;
  readonly keys: KeyServer;
  readonly key: SigningKey;
  readonly issuer: string;
  readonly log: readonly LogLine[];
  /** The first line of the access log for this path, waiting until it is written: the request is over then. */
  logged(path: string): Promise<LogLine>;
  /** A token of the pool; claims change or, when undefined, take away. */
  token(claims?: TokenClaims): string;
  /** One request on a connection of its own, with `Host` unless the lines have one. */
  request(requestLine: string, headerLines?: readonly string[], body?: string): Promise<RawResponse>;
  /** Takes over another configuration. */
  reload(config: ProxyConfig): Promise<void>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  readonly clock?: Clock;
  /** Whether it runs as in `dev`. Default: true. */
  readonly dev?: boolean;
  /** Asked for keys before the proxy starts; default: the one key is published. */
  readonly prepareKeys?: (keys: KeyServer, key: SigningKey) => void | Promise<void>;
  /** Whether to wait until the proxy has its keys. Default: true. */
  readonly awaitReady?: boolean;
  /** Where HTTPS_PROXY and its kin are looked for. Default: nowhere. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Kinds of token the pool's routes accept. Default: access tokens. */
  readonly tokenUse?: readonly ('access' | 'id')[];
  /** Clients of the pool. Default: the one that tokens are made for. */
  readonly clientIds?: readonly string[];
  /** Further pools, whose issuers are at the same key server. */
  readonly otherPools?: (issuerOf: KeyServer['issuer']) => NonNullable<ConfigInput['userPools']>;
  /** Instead of the one that records in `log`. */
  readonly logger?: ProcessLogger;
  /** The path in the recording upstream's URL. Default: none. */
  readonly basePath?: string;
}

export async function startProxy(config: ProxyConfig, options: ProxyOptions = {}): Promise<ProxyUnderTest> {
  const upstream = await startRecordingUpstream();
  const keys = await startKeyServer();
  const key = makeKey('test-key');
  keys.publish([key]);
  await options.prepareKeys?.(keys, key);
  const issuer = keys.issuer(POOL_ID);
  const log: LogLine[] = [];
  const onLine = new EventEmitter();
  const complete = (input: ProxyConfig) =>
    configSchema.parse(withDefaults(input, keys, upstream.origin + (options.basePath ?? ''), options));
  const service = createService(complete(config), {
    dev: options.dev ?? true,
    logger: options.logger ?? recordingLogger(log, () => onLine.emit('line')),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  });
  const { proxy, admin } = await service.start();
  if (options.awaitReady !== false) await untilReady(admin);

  return {
    origin: proxy,
    admin,
    service,
    upstream,
    keys,
    key,
    issuer,
    log,
    async logged(path) {
      for (;;) {
        const line = log.find((one) => one['path'] === path);
        if (line !== undefined) return line;
        await once(onLine, 'line');
      }
    },
    token: (claims) => signToken(key, accessClaims({ issuer, clientId: CLIENT_ID }, claims)),
    request(requestLine, headerLines = [], body = '') {
      const lines = headerLines.some((line) => /^host:/i.test(line))
        ? headerLines
        : ['Host: api.example.com', ...headerLines];
      const chunked = lines.some((line) => /^transfer-encoding:/i.test(line));
      const bytes = chunked
        ? requestBytes(requestLine, lines) + body
        : requestBytes(requestLine, lines, body);
      return exchangeRaw(proxy, bytes, requestLine.split(' ')[0]);
    },
    reload: (next) => service.reload(complete(next)),
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
    async stop() {
      await service.stop();
      await upstream.stop();
      await keys.stop();
    },
  };
}

/** `Authorization: Bearer` with this token, as a header line. */
export function bearer(token: string): string {
  return `Authorization: Bearer ${token}`;
}

function withDefaults(
  config: ProxyConfig,
  keys: KeyServer,
  upstream: string,
  { tokenUse = ['access'], clientIds = [CLIENT_ID], otherPools }: ProxyOptions,
): ConfigInput {
  const main = { userPoolId: POOL_ID, clientIds: [...clientIds], issuer: keys.issuer(POOL_ID) };
  return {
    userPools: { main: { ...main, tokenUse: [...tokenUse] }, ...otherPools?.(keys.issuer) },
    ...config,
    upstreams: withAddress({ board: {}, ...config.upstreams }, upstream),
    server: {
      listen: '127.0.0.1:0',
      shutdown: { unready: '0s', drain: '2s' },
      ...config.server,
    },
    admin: { listen: '127.0.0.1:0' },
  };
}

function withAddress(upstreams: ConfigInput['upstreams'], url: string): ConfigInput['upstreams'] {
  const complete: ConfigInput['upstreams'] = {};
  for (const [name, settings] of Object.entries(upstreams)) {
    complete[name] =
      settings.url === undefined && settings.urls === undefined ? { url, ...settings } : settings;
  }
  return complete;
}

async function untilReady(admin: string): Promise<void> {
  while ((await fetch(`${admin}/readyz`)).status !== 200);
}
