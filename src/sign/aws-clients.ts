import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { DeserializeMiddleware, MiddlewareStack } from '@smithy/types';
import type { Clock, Timer } from '../core/ports.ts';

/** Where a service is called, and for how long an answer is waited for. */
export interface AwsEndpoint {
  readonly region: string;
  /** Null: the service's own. */
  readonly url: string | null;
  /** Milliseconds for a whole call. */
  readonly timeout: number;
}

/** An access key as the SDK takes it. */
export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Credentials as a service gave them out. */
export interface TemporaryKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds they are good for, by the clock of the service that gave them. */
  readonly lifetime: number;
}

/** The connections of all clients together. */
export interface AwsConnections {
  readonly clock: Clock;
  readonly agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };
  close(): void;
}

/** @param environment where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked for */
export function openConnections(
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): AwsConnections {
  const options = { keepAlive: true, maxSockets: 50, proxyEnv: { ...environment } };
  const agents = { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  return {
    clock,
    agents,
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** What every client is made with: one attempt, since what is tried again counts against the quota. */
export interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly requestHandler: AwsConnections['agents'];
  readonly endpoint?: string;
  readonly credentials?: () => Promise<AwsKey>;
}

export function clientOptions(
  endpoint: AwsEndpoint,
  connections: AwsConnections,
  key: (() => Promise<AwsKey>) | null,
): ClientOptions {
  return {
    region: endpoint.region,
    maxAttempts: 1,
    requestHandler: connections.agents,
    ...(endpoint.url === null ? {} : { endpoint: endpoint.url }),
    ...(key === null ? {} : { credentials: key }),
  };
}

/** Runs a call that is given up after the endpoint's timeout. */
export async function withTimeout<T>(
  endpoint: AwsEndpoint,
  { clock }: AwsConnections,
  call: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const timer: Timer = clock.after(endpoint.timeout, () => abort.abort());
  try {
    return await call({ abortSignal: abort.signal });
  } finally {
    timer.cancel();
  }
}

/**
 * Reads the service's own time off the answer to a command: a lifetime is what lies between its `Date` and the
 * expiry, however wrong the clock of this machine.
 * @returns milliseconds since the epoch once the command has been answered; null when the answer did not say
 */
export function readServiceTime<Input extends object, Output extends object>(command: {
  readonly middlewareStack: MiddlewareStack<Input, Output>;
}): () => number | null {
  let time: number | null = null;
  const middleware: DeserializeMiddleware<Input, Output> = (next) => async (input) => {
    const result = await next(input);
    const { headers } = result.response as { headers?: Readonly<Record<string, string>> };
    const date = Date.parse(headers?.date ?? '');
    time = Number.isNaN(date) ? null : date;
    return result;
  };
  command.middlewareStack.add(middleware, { step: 'deserialize', name: 'readServiceTime' });
  return () => time;
}

/** Checks what a service gave out; @throws Error when a part is missing. */
export function readTemporaryKey(
  given:
    | {
        readonly AccessKeyId?: string | undefined;
        readonly SecretKey?: string | undefined;
        readonly SecretAccessKey?: string | undefined;
        readonly SessionToken?: string | undefined;
        readonly Expiration?: Date | undefined;
      }
    | undefined,
  serviceTime: number,
): TemporaryKey {
  const secretAccessKey = given?.SecretKey ?? given?.SecretAccessKey;
  const expiration = given?.Expiration?.getTime() ?? Number.NaN;
  if (!given?.AccessKeyId || !secretAccessKey || !given.SessionToken || Number.isNaN(expiration)) {
    throw new Error('the answer has no credentials in it');
  }
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey,
    sessionToken: given.SessionToken,
    lifetime: expiration - serviceTime,
  };
}
