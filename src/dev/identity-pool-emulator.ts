import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awsError, jsonAnswer, queryAnswer, type WireAnswer } from './aws-answer.ts';
import {
  createIdentityPoolOperations,
  type EmulatedIdentityPool,
  type IdentityPoolOperations,
} from './identity-pool-operations.ts';
import { createCredentialRegister, type IssuedCredentials } from './issued-credentials.ts';
import { createStsOperations, type StsOperations } from './sts-operations.ts';
import { createSignatureVerifier, type HeadVerdict } from './verify-signature.ts';

/** The operations of Cognito identity pools and STS that exist here. */
export const OPERATIONS = [
  'GetId',
  'GetCredentialsForIdentity',
  'GetOpenIdToken',
  'GetOpenIdTokenForDeveloperIdentity',
  'AssumeRoleWithWebIdentity',
  'AssumeRole',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What an operation does instead of its work. `hang` never answers; `echo` says back what it was sent, as an error. */
export type Misbehaviour =
  | 'throttle'
  | 'notAuthorized'
  | 'resourceNotFound'
  | 'internalError'
  | 'unavailable'
  | 'brokenBody'
  | 'emptyBody'
  | 'echo'
  | 'reset'
  | 'hang';

export interface IdentityPoolEmulator {
  /** Serves both Cognito and STS. */
  readonly origin: string;
  /** Every call so far, in order of arrival. */
  readonly calls: readonly EmulatorCall[];
  count(operation: Operation): number;
  /** Resolves when so many calls of this operation have come since the start. */
  called(operation: Operation, count: number): Promise<void>;
  /** From now on, for so many calls (Infinity when left out); null: well again. */
  behave(operation: Operation, how: Misbehaviour | null, times?: number): void;
  /** Holds answers back from now on; the function returned lets them go. */
  hold(): () => void;
  /** Temporary credentials given out here. */
  credentialsOf(accessKeyId: string): IssuedCredentials | undefined;
  /** The logins that have become one identity, each as `provider subject`. */
  loginsOf(identityId: string): readonly string[];
  /** Ends credentials before their time. */
  expire(accessKeyId: string): void;
  forgetIdentity(identityId: string): void;
  stop(): Promise<void>;
}

export interface EmulatorCall {
  readonly operation: string;
  /** The input as JSON or form fields. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch, by the machine's own clock. */
  readonly at: number;
}

export interface IdentityPoolEmulatorOptions {
  /** 0: a free one. */
  readonly port?: number;
  readonly pools: readonly EmulatedIdentityPool[];
  /** Secrets of long-term access keys that may call what needs a signature. */
  readonly accessKeys?: Readonly<Record<string, string>>;
  /** Roles that may be assumed; left out: any. */
  readonly assumableRoles?: readonly string[];
  /** Lifetime of enhanced-flow credentials. */
  readonly sessionSeconds?: number;
  /** The service's own clock, milliseconds since the epoch. */
  readonly now?: () => number;
}

const SCRIPTED: Readonly<Partial<Record<Misbehaviour, ReturnType<typeof awsError>>>> = {
  throttle: awsError('TooManyRequestsException', 'Rate exceeded'),
  notAuthorized: awsError('NotAuthorizedException', 'Access is forbidden.', 400),
  resourceNotFound: awsError('ResourceNotFoundException', 'Identity not found.'),
  internalError: awsError('InternalErrorException', 'Internal error', 500),
  unavailable: awsError('ServiceUnavailable', 'Service unavailable', 503),
};

/** Identity pools and STS on 127.0.0.1: wire format, error shapes and expiry are those of the services. */
export async function startIdentityPoolEmulator(
  options: IdentityPoolEmulatorOptions,
): Promise<IdentityPoolEmulator> {
  const now = options.now ?? Date.now;
  const register = createCredentialRegister();
  const pools = createIdentityPoolOperations({
    pools: options.pools,
    register,
    now,
    sessionSeconds: options.sessionSeconds ?? 3600,
  });
  const sts = createStsOperations({
    register,
    webIdentity: pools.ownProvider,
    assumableRoles: options.assumableRoles ?? null,
    now,
  });
  const verifier = createSignatureVerifier({
    now,
    credentialsOf(accessKeyId) {
      const secretAccessKey = options.accessKeys?.[accessKeyId];
      return secretAccessKey === undefined
        ? register.find(accessKeyId)
        : { secretAccessKey, sessionToken: null };
    },
  });

  const calls: EmulatorCall[] = [];
  const waiting: { readonly operation: Operation; readonly count: number; readonly resolve: () => void }[] =
    [];
  const scripts = new Map<Operation, { readonly how: Misbehaviour; left: number }>();
  let gate: Promise<void> = Promise.resolve();

  const count = (operation: Operation): number => calls.filter((call) => call.operation === operation).length;

  const misbehaviourOf = (operation: Operation): Misbehaviour | null => {
    const script = scripts.get(operation);
    if (script === undefined || script.left <= 0) return null;
    script.left -= 1;
    return script.how;
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = readCall(request, await readBody(request));
    if (call === null) return send(response, jsonAnswer(awsError('UnknownOperationException', '', 404)));
    response.setHeader('date', new Date(now()).toUTCString());
    calls.push({ operation: call.operation, input: call.input, at: Date.now() });
    for (const waiter of waiting) if (count(waiter.operation) >= waiter.count) waiter.resolve();
    await gate;

    const how = misbehaviourOf(call.operation);
    if (how === 'hang') return;
    if (how === 'reset') return void response.socket?.resetAndDestroy();
    if (how === 'brokenBody') return void response.end('{"IdentityId":');
    if (how === 'emptyBody') return void response.end('{}');
    const scripted =
      how === 'echo' ? awsError('NotAuthorizedException', call.body) : how === null ? null : SCRIPTED[how];
    const outcome = scripted ?? (await run(call, verifyCaller(request, call.body)));
    send(
      response,
      call.form === null ? jsonAnswer(outcome) : queryAnswer(call.operation, outcome, randomUUID()),
    );
  }

  function verifyCaller(request: IncomingMessage, body: string): HeadVerdict {
    const headers: [string, string][] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
    }
    const verdict = verifier.verify({ method: request.method ?? '', target: request.url ?? '', headers });
    if (!verdict.valid) return verdict;
    verdict.payload.update(Buffer.from(body));
    return verdict.payload.end() ?? verdict;
  }

  const run = async (call: Call, caller: HeadVerdict): Promise<object> => {
    const needsSignature =
      call.operation === 'AssumeRole' || call.operation === 'GetOpenIdTokenForDeveloperIdentity';
    if (needsSignature && !caller.valid) return awsError(caller.code, caller.reason, 403);
    return call.form === null ? runCognito(pools, call) : runSts(sts, call.operation, call.form);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    count,
    called(operation, wanted) {
      if (count(operation) >= wanted) return Promise.resolve();
      return new Promise((resolve) => void waiting.push({ operation, count: wanted, resolve }));
    },
    behave(operation, how, times = Number.POSITIVE_INFINITY) {
      if (how === null) scripts.delete(operation);
      else scripts.set(operation, { how, left: times });
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = Promise.resolve();
        resolve();
      };
    },
    credentialsOf: (accessKeyId) => register.find(accessKeyId),
    loginsOf: (identityId) => pools.loginsOf(identityId),
    expire: (accessKeyId) => register.expire(accessKeyId),
    forgetIdentity: (identityId) => pools.forget(identityId),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Call {
  readonly operation: Operation;
  readonly input: Readonly<Record<string, unknown>>;
  /** The form of an STS call; null for Cognito's JSON. */
  readonly form: URLSearchParams | null;
  readonly body: string;
}

function readCall(request: IncomingMessage, body: string): Call | null {
  const target = request.headers['x-amz-target'];
  const named = (name: string | null): Operation | undefined => OPERATIONS.find((known) => known === name);
  if (typeof target === 'string') {
    const operation = named(target.replace(/^AWSCognitoIdentityService\./, ''));
    const input = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return operation === undefined ? null : { operation, input, form: null, body };
  }
  const form = new URLSearchParams(body);
  const operation = named(form.get('Action'));
  return operation === undefined ? null : { operation, input: Object.fromEntries(form), form, body };
}

function runCognito(pools: IdentityPoolOperations, { operation, input }: Call): Promise<object> {
  switch (operation) {
    case 'GetId':
      return pools.getId(input);
    case 'GetCredentialsForIdentity':
      return pools.getCredentialsForIdentity(input);
    case 'GetOpenIdToken':
      return pools.getOpenIdToken(input);
    case 'GetOpenIdTokenForDeveloperIdentity':
      return pools.getOpenIdTokenForDeveloperIdentity(input);
    default:
      return Promise.resolve(awsError('UnknownOperationException', '', 404));
  }
}

async function runSts(sts: StsOperations, operation: Operation, form: URLSearchParams): Promise<object> {
  if (operation === 'AssumeRoleWithWebIdentity') return sts.assumeRoleWithWebIdentity(form);
  if (operation === 'AssumeRole') return sts.assumeRole(form);
  return awsError('InvalidAction', `Could not find operation ${operation}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, answer: WireAnswer): void {
  response.writeHead(answer.status, { 'content-type': answer.type, ...answer.headers });
  response.end(answer.body);
}
