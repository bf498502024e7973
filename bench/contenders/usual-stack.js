// What many write by hand: express, http-proxy-middleware and jose, with a log line for each request. Plain JavaScript,
// so that nothing but the stack itself is on its account.
import { createWriteStream, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createLocalJWKSet, jwtVerify } from 'jose';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const keys = createLocalJWKSet(JSON.parse(readFileSync(settings.keySetFile, 'utf8')));
const log = createWriteStream(settings.logFile, { flags: 'a' });

function writeLog(request, response, next) {
  const startedAt = performance.now();
  response.on('finish', () => {
    const milliseconds = (performance.now() - startedAt).toFixed(3);
    const { remoteAddress } = request.socket;
    const line = `${remoteAddress} [${new Date().toISOString()}] "${request.method} ${request.originalUrl}"`;
    log.write(`${line} ${response.statusCode} ${request.user ?? '-'} ${milliseconds} ms\n`);
  });
  next();
}

function requireToken({ group, scope }) {
  return async (request, response, next) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return response.status(401).json({ message: 'Unauthorized' });
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: settings.issuer,
        requiredClaims: ['exp'],
      });
      const groups = payload['cognito:groups'] ?? [];
      const scopes = (payload.scope ?? '').split(' ');
      if (!groups.includes(group) || !scopes.includes(scope)) {
        return response.status(403).json({ message: 'Forbidden' });
      }
      request.user = payload.sub;
      request.headers['x-cognito-sub'] = payload.sub;
    } catch {
      return response.status(401).json({ message: 'Unauthorized' });
    }
    delete request.headers.authorization;
    return next();
  };
}

const app = express();
app.disable('x-powered-by');
app.use(writeLog);
const forward = createProxyMiddleware({
  target: settings.upstream,
  agent: new Agent({ keepAlive: true }),
  xfwd: true,
});
for (const { method, prefix, requires } of settings.routes) {
  const handlers = requires === null ? [forward] : [requireToken(requires), forward];
  app[method.toLowerCase()](`${prefix}:item`, ...handlers);
}
app.listen(settings.port, '127.0.0.1');
