import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { HeaderList } from '../core/headers.ts';
import { STYLE_HASH } from './refusal-page.ts';

/**
 * Helmet's security headers for the answers we author; they never change, so they are made once. An upstream's answers
 * carry the upstream's headers. Strict-Transport-Security is left to the operator: it speaks for a whole domain.
 */
export function createOwnHeaders(): HeaderList {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const apply = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: [STYLE_HASH],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
  });
  apply(response.req, response, () => undefined);
  const headers: HeaderList = ['cache-control', 'no-store'];
  for (const [name, value] of Object.entries(response.getHeaders())) headers.push(name, String(value));
  return headers;
}
