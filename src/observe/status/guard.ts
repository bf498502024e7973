import { isIP } from 'node:net';
import type { RequestHandler } from 'express';

/** Answers loopback peers only: what is behind it tells about the configuration. */
export const loopbackOnly: RequestHandler = (request, response, next) => {
  const address = request.socket.remoteAddress ?? '';
  if (/^(::ffff:)?127\.|^::1$/.test(address)) next();
  else response.status(403).json({ message: 'Forbidden: answered on the loopback only' });
};

/**
 * A web page somewhere else may have the browser of an operator ask a port of the operator's own machine, and by
 * pointing its own name at 127.0.0.1 (DNS rebinding) even read the answer. Its name is then in Host: only names that
 * nobody can point elsewhere are answered, which are addresses and `localhost` (RFC 6761 section 6.3).
 */
export const ownHostOnly: RequestHandler = (request, response, next) => {
  const name = /^(.*?)(:\d*)?$/.exec(request.headers.host ?? '')?.[1]?.toLowerCase() ?? '';
  const own = name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  if (own) next();
  else response.status(403).json({ message: 'Forbidden: ask for localhost, or for an address' });
};

/**
 * Answers no script of another site (Fetch Metadata: what browsers say of themselves, and scripts cannot change), nor
 * one whose Origin is another. What asks without a browser says neither.
 */
export const sameOriginOnly: RequestHandler = (request, response, next) => {
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const own = site === undefined || site === 'same-origin' || site === 'none';
  if (own && (origin === undefined || origin === `http://${host}`)) next();
  else response.status(403).json({ message: 'Forbidden: asked from another site' });
};
