import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, runProgram } from './program.ts';
import { CLIENT_ID, POOL_ID, type ProxyConfig } from './proxy.ts';
import { exchangeRaw, type RawResponse, requestBytes } from './raw-http.ts';
import type { LogLine } from './recording-logger.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';
import {
  accessClaims,
  keySet,
  makeKey,
  type SigningKey,
  signToken,
  type TokenClaims,
} from './token-factory.ts';

/** The file that users run. */
export const SERVE_ENTRY = fileURLToPath(new URL('../../src/bin.js', import.meta.url));

/** The issuer of the tests' pool as Cognito names it. Its keys are in a file, so that nothing is fetched. */
export const ISSUER = `https://cognito-idp.us-east-1.amazonaws.com/${POOL_ID}`;

/** The command as users run it, with nothing inherited from this process. */
export function runServe(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Program {
  return runProgram(process.execPath, [SERVE_ENTRY, ...args], { cwd: folder, env: environment });
}

/** A folder with the pool's keys in `jwks.json`, and an upstream: what a proxy under test stands between. */
export interface Surroundings {
  readonly folder: string;
  readonly upstream: RecordingUpstream;
  readonly key: SigningKey;
  /** A token of the pool; claims change or, when undefined, take away. */
  token(claims?: TokenClaims): string;
  /** A whole configuration in the form of the file: ports of the system's choice, one pool, the upstream as `board`. */
  complete(config: ProxyConfig): string;
  /** Writes a file in the folder and gives its path. */
  write(name: string, text: string): string;
  stop(): Promise<void>;
}

export async function prepareSurroundings(): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), 'serve-test-'));
  const upstream = await startRecordingUpstream();
  const key = makeKey('test-key');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  write('jwks.json', JSON.stringify(keySet(key)));
  return {
    folder,
    upstream,
    key,
    write,
    token: (claims) => signToken(key, accessClaims({ issuer: ISSUER, clientId: CLIENT_ID }, claims)),
    complete: (config) =>
      JSON.stringify({
        userPools: { main: { userPoolId: POOL_ID, clientIds: [CLIENT_ID], keys: { file: 'jwks.json' } } },
        upstreams: { board: { url: upstream.origin } },
        admin: { listen: '127.0.0.1:0' },
        ...config,
        server: { listen: '127.0.0.1:0', shutdown: { unready: '0s', drain: '10s' }, ...config.server },
      }),
    async stop() {
      await upstream.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A running `serve`, and what it has logged. */
export interface Served {
  readonly program: Program;
  readonly proxy: string;
  readonly admin: string;
  /** Every line of log that has been read so far. */
  readonly log: readonly LogLine[];
  /** The next line of log with this message; throws when one is not JSON, rejects when there will be no more. */
  logged(message: string): Promise<LogLine>;
  /** One request on a connection of its own. */
  request(requestLine: string, headerLines?: readonly string[], body?: string): Promise<RawResponse>;
  metrics(): Promise<string>;
  /** Sends SIGTERM; resolves with the exit code, all of the log read. */
  stop(): Promise<number | null>;
}

/** Waits until the program serves and is ready. */
export async function followServe(program: Program): Promise<Served> {
  const log: LogLine[] = [];
  const logged = async (message: string): Promise<LogLine> => {
    for (;;) {
      const line = JSON.parse(await program.line()) as LogLine;
      log.push(line);
      if (line.message === message) return line;
    }
  };
  const { proxy, admin } = (await logged('listening')) as unknown as { proxy: string; admin: string };
  while ((await fetch(`${admin}/readyz`)).status !== 200);
  return {
    program,
    proxy,
    admin,
    log,
    logged,
    request(requestLine, headerLines = [], body = '') {
      const bytes = requestBytes(requestLine, ['Host: api.example.com', ...headerLines], body);
      return exchangeRaw(proxy, bytes, requestLine.split(' ')[0]);
    },
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
    async stop() {
      program.signal('SIGTERM');
      const { code } = await program.exited;
      const rest = await program.rest();
      for (const line of rest.split('\n')) if (line !== '') log.push(JSON.parse(line) as LogLine);
      return code;
    },
  };
}

/** A port that is taken until it is given back. */
export async function takePort(): Promise<{ readonly port: number; giveBack(): Promise<void> }> {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  return {
    port,
    async giveBack() {
      squatter.close();
      await once(squatter, 'close');
    },
  };
}

/** The value of one series in an exposition; undefined when it is not there. */
export function metricValue(exposition: string, series: string): number | undefined {
  const line = exposition.split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
