import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { DeserializeMiddleware, MiddlewareStack } from '@smithy/types';
import type { Clock } from '../core/ports.ts';

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
interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly requestHandler: AwsConnections['agents'];
  readonly endpoint?: string;
  readonly credentials?: () => Promise<AwsKey>;
}

/** What a call is given up by. */
interface CallOptions {
  readonly abortSignal: AbortSignal;
}

/** Makes one call, which is given up after the endpoint's timeout. */
export type CallWith<Service> = <T>(
  call: (service: Service, options: CallOptions) => Promise<T>,
) => Promise<T>;

/**
 * Calls a service.
 * @param load loads the service's part of the SDK and makes a client: with the first call, not at start, since who does not sign need
 *   not pay for it
 * @param key credentials of our own for the calls that are signed; null where there are none
 */
export function createCaller<Service>(
  endpoint: AwsEndpoint,
  connections: AwsConnections,
  key: (() => Promise<AwsKey>) | null,
  load: (options: ClientOptions) => Promise<Service>,
): CallWith<Service> {
  const options: ClientOptions = {
    region: endpoint.region,
    maxAttempts: 1,
    requestHandler: connections.agents,
    ...(endpoint.url === null ? {} : { endpoint: endpoint.url }),
    ...(key === null ? {} : { credentials: key }),
  };
  let loaded: Promise<Service> | null = null;
  return async (call) => {
    loaded ??= load(options);
    const service = await loaded;
    const abort = new AbortController();
    const timer = connections.clock.after(endpoint.timeout, () => abort.abort());
    try {
      return await call(service, { abortSignal: abort.signal });
    } finally {
      timer.cancel();
    }
  };
}

/** Credentials in the words of Cognito or of STS. */
interface GivenKey {
  readonly AccessKeyId?: string | undefined;
  readonly SecretKey?: string | undefined;
  readonly SecretAccessKey?: string | undefined;
  readonly SessionToken?: string | undefined;
  readonly Expiration?: Date | undefined;
}

/** A command whose answer can be looked at before the SDK takes it apart. */
interface Watchable<Input extends object, Output extends object> {
  readonly middlewareStack: MiddlewareStack<Input, Output>;
}

/**
 * Sends a command that is answered with credentials, and checks them.
 * @throws Error when a part of them is missing
 */
export async function receiveKey<Input extends object, Output extends object>(
  command: Watchable<Input, Output>,
  clock: Clock,
  send: () => Promise<{ readonly Credentials?: GivenKey | undefined }>,
): Promise<TemporaryKey> {
  const serviceTime = readServiceTime(command);
  const { Credentials: given } = await send();
  const secretAccessKey = given?.SecretKey ?? given?.SecretAccessKey;
  const expiration = given?.Expiration?.getTime() ?? Number.NaN;
  if (!given?.AccessKeyId || !secretAccessKey || !given.SessionToken || Number.isNaN(expiration)) {
    throw new Error('the answer has no credentials in it');
  }
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey,
    sessionToken: given.SessionToken,
    lifetime: expiration - (serviceTime() ?? clock.now()),
  };
}

/**
 * Reads the service's own time off the answer to a command: a lifetime is what lies between its `Date` and the
 * expiry, however wrong the clock of this machine.
 * @returns milliseconds since the epoch once the command has been answered; null when the answer did not say
 */
function readServiceTime<Input extends object, Output extends object>(
  command: Watchable<Input, Output>,
): () => number | null {
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
