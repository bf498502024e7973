import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';

/** Begins a connection that hands its bytes to `onread`; `connected` is called once, over TLS after the handshake. */
export type Connector = (onread: OnReadOpts, connected: () => void) => Socket;

/** What TLS needs to know of an address, in the words of node:tls. */
export interface TlsMaterial {
  readonly servername: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Milliseconds of silence after which the kernel asks whether the other side is still there. */
const PROBE_AFTER = 60_000;

/**
 * Makes connections to one address. A name is looked up for each of them, so that a change of its addresses is followed.
 *
 * @param origin scheme, host and port
 */
export function createConnector(origin: string, material: TlsMaterial): Connector {
  const { protocol, hostname, port } = new URL(origin);
  const address = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
  if (protocol === 'http:')
    return (onread, connected) => prepare(connectTcp({ ...address, onread }, connected));

  /** Of the last handshake, to shorten the next (RFC 8446 section 2.2). */
  let session: Buffer | undefined;
  return (onread, connected) => {
    const options: TlsOptions & { readonly onread: OnReadOpts } = {
      ...address,
      ...material,
      onread,
      ALPNProtocols: ['http/1.1'],
      ...(session && { session }),
    };
    const socket = connectTls(options, connected);
    socket.on('session', (next: Buffer) => {
      session = next;
    });
    return prepare(socket);
  };
}

function prepare(socket: Socket): Socket {
  return socket.setNoDelay(true).setKeepAlive(true, PROBE_AFTER);
}

/** Whom an address must prove to be. Where it is no name (RFC 6066 section 3), it is itself looked for in the certificate. */
export function serverName(host: string): string {
  return isIP(host.replace(/^\[|\]$/g, '')) === 0 ? host : '';
}
