import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Exposition } from './combine-metrics.ts';
import { loopbackOnly, ownHostOnly } from './status/guard.ts';
import { createStatusPage, type StatusPageOptions } from './status/serve-status.ts';
import { type RouteSummary, tabulateRoutes } from './summarize-routes.ts';

export interface AdminOptions extends Omit<StatusPageOptions, 'plainText'> {
  readonly ready: () => boolean;
  /** The exposition of all workers. */
  readonly metrics: () => Promise<Exposition>;
  readonly routes: () => readonly RouteSummary[];
}

/** What tells about the configuration: for loopback peers that ask for this very port. */
const GUARDED = [
  '/',
  '/routes',
  '/status.css',
  '/status-phone.css',
  '/status.js',
  '/events',
  '/status/routes',
  '/configuration',
];

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

  app.all(['/livez', '/readyz', '/metrics', ...GUARDED], takeOnly('GET', 'HEAD'));
  app.all('/explain', takeOnly('POST'));

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
  app.get(GUARDED, loopbackOnly, ownHostOnly);
  app.post('/explain', loopbackOnly, ownHostOnly);
  app.get('/routes', (_request, response) => {
    response.json(options.routes());
  });
  app.use(createStatusPage({ ...options, plainText: () => tabulateRoutes(options.routes()) }));
  app.use((_request, response) => {
    response.status(404).json({ message: 'Not Found' });
  });
  app.use(answerFailure(options.onFailure));
  return app;
}

/** Anything else is 405: Express would answer OPTIONS by itself. */
function takeOnly(...methods: readonly string[]): RequestHandler {
  const allow = methods.join(', ');
  return (request, response, next) => {
    if (methods.includes(request.method)) next();
    else response.set('allow', allow).status(405).json({ message: 'Method Not Allowed' });
  };
}

/** Express' own handler would show the stack. It knows an error handler by its four parameters. */
function answerFailure(onFailure: AdminOptions['onFailure']): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    const status = clientError(error);
    if (status === null) onFailure(error);
    if (response.headersSent) response.destroy();
    else if (status === null) response.status(500).json({ message: 'Internal Server Error' });
    else response.status(status).json({ message: status === 413 ? 'Content Too Large' : 'Bad Request' });
  };
}

/** The status of what express.text could not read, which is the client's fault and not for the log; null: another failure. */
function clientError(error: unknown): number | null {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? status : null;
}
