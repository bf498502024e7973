import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Exposition } from './combine-metrics.ts';
import { type RouteSummary, tabulateRoutes } from './summarize-routes.ts';

export interface AdminOptions {
  readonly ready: () => boolean;
  /** The exposition of all workers. */
  readonly metrics: () => Promise<Exposition>;
  readonly routes: () => readonly RouteSummary[];
  /** Told why an answer could not be made. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The app of the admin port. Probes and metrics answer everyone who reaches the port; the rest tells about the
 * configuration and answers loopback peers only.
 */
export function createAdminApp(options: AdminOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  // A probe wants to know how things are now; 304 would be no answer to that.
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(helmet({ strictTransportSecurity: false }));
  app.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });

  app.get('/livez', (_request, response) => {
    response.type('text').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const ready = options.ready();
    response
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ok\n' : 'not ready\n');
  });
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await options.metrics();
    response.set('content-type', contentType).send(text);
  });
  app.get('/routes', loopbackOnly, (_request, response) => {
    response.json(options.routes());
  });
  app.get('/', loopbackOnly, (_request, response) => {
    const state = options.ready() ? 'ready' : 'not ready';
    response.type('text').send(`cognito-auth-proxy: ${state}\n\n${tabulateRoutes(options.routes())}\n`);
  });
  app.all(['/livez', '/readyz', '/metrics', '/routes', '/'], (_request, response) => {
    response.set('allow', 'GET, HEAD').status(405).json({ message: 'Method Not Allowed' });
  });
  app.use((_request, response) => {
    response.status(404).json({ message: 'Not Found' });
  });
  app.use(answerFailure(options.onFailure));
  return app;
}

const loopbackOnly: RequestHandler = (request, response, next) => {
  const address = request.socket.remoteAddress ?? '';
  if (/^(::ffff:)?127\.|^::1$/.test(address)) next();
  else response.status(403).json({ message: 'Forbidden: answered on the loopback only' });
};

/** Express' own handler would show the stack. It knows an error handler by its four parameters. */
function answerFailure(onFailure: AdminOptions['onFailure']): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    onFailure(error);
    if (response.headersSent) response.destroy();
    else response.status(500).json({ message: 'Internal Server Error' });
  };
}
