import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  type HeaderPair,
  headerValues,
  type MessageBody,
  parseChunkedBody,
  parseHead,
  parseSizedBody,
} from './http-message.ts';

/** An answer as it was on the wire. */
export interface RawResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** In wire order, names as spelt. */
  readonly headers: readonly HeaderPair[];
  /** Without chunk framing. */
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: readonly HeaderPair[];
  /** The 1xx answers that came before this one; 101 is no such answer, but the last one. */
  readonly interim: readonly RawResponse[];
  /** The one value under a name; undefined when there is none; throws when there are several. */
  header(name: string): string | undefined;
  json(): unknown;
}

/** One connection on which exactly the given bytes are sent, and everything that comes back is kept. */
export interface RawConnection {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  /**
   * The next complete answer. Rejects when the connection closes before it is complete, saying what did come.
   * @param method of the request it answers: HEAD has no body, whatever the answer's headers say
   */
  response(method?: string): Promise<RawResponse>;
  /** The next header section alone; its body is then read by {@link take} or {@link takeUntil}. */
  head(): Promise<RawResponse>;
  /** The next so many bytes. */
  take(count: number): Promise<Buffer>;
  /** The next bytes up to and with these. */
  takeUntil(mark: string): Promise<Buffer>;
  /** All bytes not read yet, once the other side has ended or reset the connection. */
  rest(): Promise<Buffer>;
  /** Resolves when the connection is gone: `end` the other side's FIN, `reset` its RST. */
  readonly closed: Promise<'end' | 'reset'>;
  /** Half-closes: no more is sent, answers are still read. */
  end(): void;
  /** Closes with a FIN. */
  close(): void;
  /** Closes with an RST. */
  reset(): void;
}

/** Opens a connection to an origin such as `http://127.0.0.1:8080`; `https` takes the TLS options. */
export async function openRaw(origin: string, tls: ConnectionOptions = {}): Promise<RawConnection> {
  const { protocol, hostname, port } = new URL(origin);
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
  const secure = protocol === 'https:';
  const socket = secure
    ? connectTls({ ...address, ...tls })
    : connectTcp({ ...address, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  socket.setNoDelay(true);
  return readFrom(socket);
}

/** Sends these bytes on a connection of their own and gives the first complete answer. */
export async function exchangeRaw(
  origin: string,
  bytes: string | Buffer,
  method = 'GET',
): Promise<RawResponse> {
  const connection = await openRaw(origin);
  try {
    connection.send(bytes);
    return await connection.response(method);
  } finally {
    connection.close();
  }
}

/** The bytes of a request: its line, its header lines as given, and a body whose length is announced when there is one. */
export function requestBytes(requestLine: string, headerLines: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [requestLine, ...headerLines, ...length, '', body].join('\r\n');
}

type Parser<T> = (bytes: Buffer, ended: boolean) => { value: T; length: number } | undefined;

function readFrom(socket: Socket): RawConnection {
  let pending: Buffer = Buffer.alloc(0);
  let ended = false;
  let wake: () => void = () => undefined;

  const closed = new Promise<'end' | 'reset'>((resolve) => {
    const finish = (how: 'end' | 'reset'): void => {
      ended = true;
      resolve(how);
      wake();
    };
    socket.on('end', () => finish('end'));
    socket.on('error', () => finish('reset'));
    socket.on('close', () => finish('end'));
  });
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    wake();
  });

  /** One reader at a time: a test that reads twice at once would not know which bytes it gets. */
  async function read<T>(parse: Parser<T>): Promise<T> {
    for (;;) {
      const parsed = parse(pending, ended);
      if (parsed !== undefined) {
        pending = pending.subarray(parsed.length);
        return parsed.value;
      }
      if (ended) {
        throw new Error(`the connection closed after ${JSON.stringify(pending.toString('latin1'))}`);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  async function head(): Promise<RawResponse> {
    const parsed = await read((bytes) => {
      const value = parseHead(bytes);
      return value && { value, length: value.length };
    });
    const [, version = '', status = '', reason = ''] =
      /^(HTTP\/\d\.\d) (\d{3})(?: (.*))?$/.exec(parsed.startLine) ?? [];
    if (status === '') throw new Error(`not a status line: ${JSON.stringify(parsed.startLine)}`);
    return makeResponse({ version, status: Number(status), reason, headers: parsed.headers });
  }

  async function response(method = 'GET'): Promise<RawResponse> {
    const interim: RawResponse[] = [];
    for (;;) {
      const start = await head();
      if (start.status < 200 && start.status !== 101) {
        interim.push(start);
        continue;
      }
      const bodiless = method === 'HEAD' || [101, 204, 304].includes(start.status);
      const { body, trailers } = bodiless ? NO_BODY : await read(bodyParser(start.headers));
      return makeResponse({ ...start, body, trailers, interim });
    }
  }

  return {
    socket,
    closed,
    send: (bytes) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    response,
    head,
    take: (count) =>
      read((bytes) =>
        bytes.length < count ? undefined : { value: bytes.subarray(0, count), length: count },
      ),
    takeUntil: (mark) =>
      read((bytes) => {
        const at = bytes.indexOf(mark, 0, 'latin1');
        const length = at + mark.length;
        return at < 0 ? undefined : { value: bytes.subarray(0, length), length };
      }),
    rest: () => read((bytes, over) => (over ? { value: bytes, length: bytes.length } : undefined)),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
  };
}

const NO_BODY: MessageBody = { body: Buffer.alloc(0), trailers: [], length: 0 };

/** RFC 9112 section 6.3: chunked, else a length, else all up to the end of the connection. */
function bodyParser(headers: readonly HeaderPair[]): Parser<MessageBody> {
  const chunked = headerValues(headers, 'transfer-encoding').some((value) => /chunked$/i.test(value));
  const [length] = headerValues(headers, 'content-length');
  return (bytes, ended) => {
    const value = chunked
      ? parseChunkedBody(bytes)
      : length !== undefined
        ? parseSizedBody(bytes, Number(length))
        : ended
          ? parseSizedBody(bytes, bytes.length)
          : undefined;
    return value && { value, length: value.length };
  };
}

function makeResponse(
  parts: Pick<RawResponse, 'version' | 'status' | 'reason' | 'headers'> &
    Partial<Pick<RawResponse, 'body' | 'trailers' | 'interim'>>,
): RawResponse {
  const body = parts.body ?? NO_BODY.body;
  return {
    version: parts.version,
    status: parts.status,
    reason: parts.reason,
    headers: parts.headers,
    body,
    text: body.toString('utf8'),
    trailers: parts.trailers ?? [],
    interim: parts.interim ?? [],
    header(name) {
      const values = headerValues(parts.headers, name);
      if (values.length > 1) throw new Error(`${name} occurs ${values.length} times: ${values.join(' | ')}`);
      return values[0];
    },
    json: () => JSON.parse(body.toString('utf8')) as unknown,
  };
}
