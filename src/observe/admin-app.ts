import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';

/** One line of the routes table. */
export interface RouteSummary {
  readonly id: string;
  readonly host: string;
  readonly methods: string;
  readonly path: string;
  readonly allow: string;
  readonly upstream: string;
}

export interface AdminOptions {
  readonly ready: () => boolean;
  /** The exposition of all workers. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly routes: () => readonly RouteSummary[];
}

/**
 * The app of the admin port. Probes and metrics answer everyone who reaches the port; the rest tells about the
 * configuration and answers loopback peers only.
 */
export function createAdminApp(options: AdminOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(helmet({ strictTransportSecurity: false }));

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
    response.type('text').send(overview(options));
  });
  app.use((_request, response) => {
    response.status(404).json({ message: 'Not Found', code: 'ROUTE_NOT_FOUND' });
  });
  return app;
}

const loopbackOnly: RequestHandler = (request, response, next) => {
  const address = request.socket.remoteAddress ?? '';
  if (/^(::ffff:)?127\.|^::1$/.test(address)) next();
  else response.status(403).json({ message: 'Forbidden', code: 'ADMIN_LOOPBACK_ONLY' });
};

/** The state of the proxy in plain text, for a look with curl. */
function overview(options: AdminOptions): string {
  const rows = [
    ['ROUTE', 'HOST', 'METHODS', 'PATH', 'ALLOW', 'UPSTREAM'],
    ...options
      .routes()
      .map((route) => [route.id, route.host, route.methods, route.path, route.allow, route.upstream]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const table = rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
  return `cognito-auth-proxy: ${options.ready() ? 'ready' : 'not ready'}\n\n${table}\n`;
}
