import type { IncomingMessage } from 'node:http';
import type { HeaderList } from './headers.ts';
import type { Target, Upstream } from './upstream.ts';

/** What leaves: made by `prepare`, signed by `sign`, sent by `send` byte for byte. */
export interface OutboundRequest {
  readonly upstream: Upstream;
  /** Another one of the same upstream on a retry, which signs again. */
  target: Target;
  readonly method: string;
  /** Base path, rewritten canonical path and query. */
  path: string;
  /** The path without the target's base path, for another target. */
  readonly pathAndQuery: string;
  /** Begins with `host`. */
  headers: HeaderList;
  /** The client's request, whose body streams in, or bytes held to be hashed; null: the request has none. */
  body: IncomingMessage | Buffer | null;
  /** What a body that streams becomes on its way out; null: it goes as it comes. */
  transform: ((content: AsyncIterable<Buffer>) => AsyncIterable<Buffer>) | null;
  /** Length in bytes of the body as it goes out; -1 when it goes out chunked. */
  contentLength: number;
}

/** Points a request at another target of the same upstream. */
export function retarget(outbound: OutboundRequest, target: Target): void {
  outbound.target = target;
  outbound.path = target.basePath + outbound.pathAndQuery;
  if (outbound.upstream.host === 'upstream') outbound.headers[1] = target.authority;
}
