import type { IncomingMessage } from 'node:http';

/**
 * Whether node may have lost bytes behind this request. Where an upgrade is declined, its parser skips what came in one
 * packet with the request: what comes next on the connection could be the middle of another request.
 *
 * The usual client that offers an upgrade in vain, Java's, sends nothing behind it, on a connection's first request; there
 * the bytes received are exactly those of the head.
 */
export function mayHaveLostBytes(request: IncomingMessage): boolean {
  const { headers, rawHeaders, socket } = request;
  if (headers.upgrade === undefined) return false;
  if (headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined) return true;
  let head = `${request.method} ${request.url} HTTP/1.1\r\n\r\n`.length;
  for (const text of rawHeaders) head += text.length + 2;
  return socket.bytesRead !== head;
}
