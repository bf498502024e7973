import { z } from 'zod';
import { duration, headerName, hiddenText, listenAddress, positive, secret } from './scalars.ts';

const limits = z
  .strictObject({
    headerBytes: positive.default(32_768).describe('Largest header section, in bytes; larger is 431.'),
    headerCount: positive.default(100).describe('Most header fields; more are 431.'),
    urlBytes: positive.default(8192).describe('Longest request target, in bytes; longer is 414.'),
    bodyBytes: positive
      .nullable()
      .default(null)
      .describe('Largest body, in bytes; larger is 413. null: no limit.'),
    bufferBytes: positive
      .default(10_485_760)
      .describe('Largest body that may be held in memory to be hashed for a signature, in bytes.'),
    bufferTotalBytes: positive
      .default(268_435_456)
      .describe('Memory that all held bodies together may take, in bytes.'),
    connections: positive.default(10_000).describe('Open client connections, over all workers.'),
    webSockets: positive
      .nullable()
      .default(null)
      .describe('Open WebSockets, over all workers; more are 503. null: as many as connections.'),
  })
  .prefault({})
  .describe('What one client, and all together, may take up.');

export const server = z
  .strictObject({
    listen: listenAddress.prefault('0.0.0.0:8080').describe('Where clients connect, as host:port.'),
    workers: z
      .union([positive, z.literal('auto')])
      .default(1)
      .describe('Processes that share the port; "auto": as many as this container may use CPUs.'),
    trustedProxies: z
      .array(
        z
          .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
            error: 'expected an address or a CIDR such as 10.0.0.0/8',
          })
          .meta({ title: 'address or CIDR' }),
      )
      .default([])
      .describe(
        'Addresses or CIDRs whose X-Forwarded-* headers are believed; from all others they are replaced.',
      ),
    limits,
    timeouts: z
      .strictObject({
        headers: duration.prefault('15s').describe('For a client to send its whole header section.'),
        bodyIdle: duration
          .prefault('30s')
          .describe('Without a byte of a body moving, in either direction, before the request is given up.'),
        idle: duration.prefault('75s').describe('An idle keep-alive connection is closed after this.'),
        webSocketIdle: duration
          .nullable()
          .prefault('10m')
          .describe(
            'A WebSocket on which no byte moves, not even a ping, is closed after this; null: never.',
          ),
      })
      .prefault({}),
    shutdown: z
      .strictObject({
        unready: duration
          .prefault('5s')
          .describe('After SIGTERM: not ready, yet still accepting, for this long.'),
        drain: duration.prefault('20s').describe('Then requests in flight have this long to finish.'),
      })
      .prefault({}),
    tls: z
      .strictObject({
        cert: hiddenText.describe('The certificate chain, in PEM.'),
        key: secret.describe('Its key, in PEM.'),
      })
      .nullable()
      .prefault(null)
      .describe('Serve TLS with this certificate chain and key; null: clear text.'),
  })
  .prefault({})
  .describe('The port that clients connect to.');

export const admin = z
  .strictObject({
    listen: listenAddress
      .prefault('127.0.0.1:9090')
      .describe(
        'Where /livez, /readyz and /metrics are served; the status page at / answers loopback peers only.',
      ),
  })
  .prefault({})
  .describe('The port for operators: health, readiness and metrics.');

export const tokenSource = z.union([
  z.literal('authorization'),
  z.literal('websocketProtocol'),
  z.strictObject({
    header: headerName.describe('A request header that holds the token, or "Bearer" and the token.'),
  }),
  z.strictObject({
    cookie: z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected a cookie name')
      .describe('A cookie. Unsafe methods are then held to the own origin.'),
  }),
  z.strictObject({
    query: z
      .string()
      .regex(/^[A-Za-z0-9._~-]+$/, 'expected a query parameter name')
      .describe('A query parameter; it is taken out before the request is sent on.'),
  }),
]);
export type TokenSource = z.output<typeof tokenSource>;

export const identity = z
  .strictObject({
    prefix: headerName
      .prefault('x-cognito-')
      .describe('Every header a client sends under this prefix, in any spelling, is removed on every route.'),
    headers: z
      .record(headerName, z.string().min(1))
      .prefault({
        'x-cognito-sub': 'sub',
        'x-cognito-username': 'username',
        'x-cognito-groups': 'groups',
        'x-cognito-scopes': 'scopes',
        'x-cognito-client': 'client_id',
        'x-cognito-token-use': 'token_use',
      })
      .describe('Headers set for the upstream: name to claim. Removed from what clients send too.'),
    forwardToken: z.boolean().default(false).describe('Whether the upstream receives the token as sent.'),
  })
  .prefault({})
  .describe('What upstreams are told about the caller, in headers.');

export const log = z
  .strictObject({
    level: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
      .default('info')
      .describe('Lines below this level are not written.'),
    subject: z
      .enum(['plain', 'hashed'])
      .default('plain')
      .describe("Whether the caller's sub is logged as it is or as a hash."),
    passes: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'The share of requests let through that is logged. Refusals, failures, answers of 5xx and requests that a rule would refuse always are.',
      ),
  })
  .prefault({})
  .describe('What is written to the log.');
