import { readFileSync } from 'node:fs';
import express, { type Response, Router } from 'express';
import { type AskedRequest, readAsked } from './asked.ts';
import type { StatusBoard } from './board.ts';
import { createFeed } from './feed.ts';
import { sameOriginOnly } from './guard.ts';
import { renderPage } from './render-page.ts';
import { renderParts, troublesInText } from './render-parts.ts';
import { renderRoutes, selectRoutes } from './render-routes.ts';

/** An explanation, for people and for programs: what `explain` prints, and what it prints with `--json`. */
export interface ExplainedRequest {
  readonly text: string;
  readonly json: object;
}

export interface StatusPageOptions {
  readonly board: StatusBoard;
  /** Of the configuration in force, secrets left out. */
  readonly fingerprint: () => string;
  /** The configuration in force as YAML, secrets left out. */
  readonly configuration: () => string;
  readonly explain: (asked: AskedRequest) => ExplainedRequest;
  /** What is shown to who does not ask for HTML, below the troubles. */
  readonly plainText: () => string;
  /** Told why an answer could not be made. */
  readonly onFailure: (error: unknown) => void;
}

/** Nothing but our own files, and nothing inline; the data: image is the icon in the colour of the state. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Bytes of what is sent to be explained: two tokens of 16 KiB, a request line, and JSON around them. */
const ASKED_BYTES = 65_536;

/** The status page with what it is made of and asks for. Whom it answers is up to whoever mounts it. */
export function createStatusPage(options: StatusPageOptions): Router {
  const { board } = options;
  const files = {
    'status.css': { type: 'text/css', text: readPageFile('status.css') },
    'status-phone.css': { type: 'text/css', text: readPageFile('status-phone.css') },
    'status.js': { type: 'text/javascript', text: readPageFile('status.js') },
  };
  const feed = createFeed(board, options.fingerprint);
  const router = Router({ caseSensitive: true, strict: true });

  router.get('/', async (request, response) => {
    const status = await board.current();
    response.vary('accept');
    if (request.accepts(['text', 'html']) === 'html') {
      response.set('content-security-policy', PAGE_POLICY);
      response.type('html').send(renderPage(status, renderParts(status), options.fingerprint()));
    } else {
      response.type('text').send(`${troublesInText(status)}\n\n${options.plainText()}\n`);
    }
  });
  for (const [name, { type, text }] of Object.entries(files)) {
    router.get(`/${name}`, (_request, response) => {
      response.type(type).send(text);
    });
  }
  router.get('/events', sameOriginOnly, (request, response) => {
    if (request.method === 'HEAD') response.type('text/event-stream').end();
    else if (!feed.add(response)) tooMany(response);
  });
  router.get('/status/routes', sameOriginOnly, async (request, response) => {
    const { search, order } = request.query;
    const { routes } = await board.current();
    const found = selectRoutes(routes, {
      search: typeof search === 'string' ? search : '',
      order: order === 'refusals' ? 'refusals' : 'requests',
    });
    response.type('html').send(renderRoutes(found, routes.length).text);
  });
  router.get('/configuration', sameOriginOnly, (_request, response) => {
    response.type('text').send(options.configuration());
  });
  router.post(
    '/explain',
    sameOriginOnly,
    (request, response, next) => {
      // Only forms and the like are sent by a browser without asking first (Fetch, CORS-safelisted content types).
      if (request.is('application/json') === 'application/json') next();
      else response.status(415).json({ message: 'Unsupported Media Type: application/json is expected' });
    },
    express.text({ type: 'application/json', limit: ASKED_BYTES }),
    (request, response) => {
      const asked = readAsked(request.body);
      if (asked === null) {
        response
          .status(400)
          .json({ message: 'Bad Request: {"request": "GET /path", "token": "..."} is expected' });
        return;
      }
      const explained = explainQuietly(asked, options);
      if (explained === null) response.status(500).json({ message: 'Internal Server Error' });
      else if (request.accepts(['json', 'text']) === 'text') response.type('text').send(explained.text);
      else response.json(explained.json);
    },
  );
  return router;
}

/** What goes wrong with a token is told without what is in it: a message may quote it. */
function explainQuietly(
  asked: AskedRequest,
  { explain, onFailure }: StatusPageOptions,
): ExplainedRequest | null {
  try {
    return explain(asked);
  } catch (error) {
    onFailure(
      new Error(`a request could not be explained: ${error instanceof Error ? error.name : 'unknown'}`),
    );
    return null;
  }
}

function tooMany(response: Response): void {
  response
    .set('retry-after', '5')
    .status(503)
    .json({ message: 'Service Unavailable: too many listen already' });
}

function readPageFile(name: string): string {
  return readFileSync(new URL(`../page/${name}`, import.meta.url), 'utf8');
}
