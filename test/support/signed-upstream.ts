import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ArrivedHead,
  createSignatureVerifier,
  type KnownCredentials,
} from '../../src/dev/verify-signature.ts';
import { aws4Opinion } from './aws4-opinion.ts';

/** A request that an upstream which trusts only signatures has taken, or refused. */
export interface SignedRequest extends ArrivedHead {
  /** `ok`, or the code of AWS that it was refused with. */
  readonly verdict: string;
  readonly accessKeyId: string;
  /** Bytes of content, chunk framing not counted. */
  readonly contentLength: number;
  readonly contentHash: string;
  /** Bytes as they arrived. */
  readonly bodyLength: number;
  /** The first of them, up to 64 KiB. */
  readonly body: Buffer;
  /** The value of a header, several joined as they came. */
  header(name: string): string | undefined;
}

/** An upstream as AWS's are: whatever is not signed, altered, stale or by unknown credentials is 403. */
export interface SignedUpstream {
  readonly origin: string;
  readonly requests: readonly SignedRequest[];
  /** The last request. */
  readonly last: SignedRequest;
  /** Requests that the package aws4 could judge too. */
  readonly judgedTwice: number;
  /** Answers what was not refused; default: 200 with the verdict as JSON. */
  answer: (request: SignedRequest, response: ServerResponse) => void;
  stop(): Promise<void>;
}

export interface SignedUpstreamOptions {
  readonly credentialsOf: (accessKeyId: string) => KnownCredentials | undefined;
  readonly now?: () => number;
  readonly service?: string;
  readonly region?: string;
}

const KEPT_BYTES = 65_536;

export async function startSignedUpstream(options: SignedUpstreamOptions): Promise<SignedUpstream> {
  const now = options.now ?? Date.now;
  const verifier = createSignatureVerifier({ ...options, now });
  const requests: SignedRequest[] = [];
  let judgedTwice = 0;

  const server = createServer((request, response) => {
    response.setHeader('date', new Date(now()).toUTCString());
    judge(request).then(
      (judged) => {
        requests.push(judged);
        if (judged.verdict === 'ok') upstream.answer(judged, response);
        else response.writeHead(403).end(`<Error><Code>${judged.verdict}</Code></Error>`);
      },
      () => response.destroy(),
    );
  });

  async function judge(request: IncomingMessage): Promise<SignedRequest> {
    const headers: [string, string][] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
    }
    const head: ArrivedHead = { method: request.method ?? '', target: request.url ?? '', headers };
    const verdict = verifier.verify(head);
    let bodyLength = 0;
    const kept: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (bodyLength < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - bodyLength));
      bodyLength += chunk.length;
      if (verdict.valid) verdict.payload.update(chunk);
    }
    const rejection = verdict.valid ? verdict.payload.end() : verdict;
    const accessKeyId = verdict.valid ? verdict.accessKeyId : '';
    const header = (name: string): string | undefined => {
      const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
      return values.length === 0 ? undefined : values.join(',');
    };
    return {
      ...head,
      verdict: rejection?.code ?? secondOpinion(head, accessKeyId),
      accessKeyId,
      contentLength: verdict.valid ? verdict.payload.length : 0,
      contentHash: verdict.valid ? verdict.payload.contentHash : '',
      bodyLength,
      body: Buffer.concat(kept),
      header,
    };
  }

  function secondOpinion(head: ArrivedHead, accessKeyId: string): string {
    const secret = options.credentialsOf(accessKeyId)?.secretAccessKey ?? '';
    const opinion = aws4Opinion(head, secret);
    if (opinion === undefined) return 'ok';
    judgedTwice += 1;
    const [, received] = head.headers.find(([name]) => name.toLowerCase() === 'authorization') ?? [];
    return opinion === received ? 'ok' : 'Aws4Disagrees';
  }

  const upstream: SignedUpstream = {
    origin: '',
    requests,
    get last() {
      const last = requests.at(-1);
      if (last === undefined) throw new Error('no request has come');
      return last;
    },
    get judgedTwice() {
      return judgedTwice;
    },
    answer(request, response) {
      const { accessKeyId, contentLength, contentHash } = request;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ accessKeyId, contentLength, contentHash }));
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(upstream, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
