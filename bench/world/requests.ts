import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRoutes, type RequestKind, routesFor } from './routes.ts';

/** Requests as they go over the wire, in a file that the load generators read. */
export interface RequestFile {
  readonly path: string;
  readonly count: number;
}

export interface RequestPlan {
  readonly kind: RequestKind;
  readonly routes: number;
  /** One request each, at least; null sends none. */
  readonly tokens: readonly string[] | null;
}

const LAST_SEGMENT: Readonly<Partial<Record<RequestKind, string>>> = { large: '100k', huge: '1g' };

/** Bytes of a POST's body. */
const BODY = 'x'.repeat(1024);

/**
 * Writes the requests of a plan: as many as there are tokens, or routes if they are more, each route and each token in
 * its turn. The same plan is written once.
 */
export function writeRequests(folder: string, plan: RequestPlan): RequestFile {
  const routes = routesFor(plan.kind, makeRoutes(plan.routes));
  const count = Math.max(plan.tokens?.length ?? 1, routes.length);
  const key = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
  const path = join(folder, `requests-${key}`);
  if (!existsSync(path)) writeFileSync(path, [...requestsOf(plan, count)].join(''));
  return { path, count };
}

function* requestsOf(plan: RequestPlan, count: number): Generator<string> {
  const routes = routesFor(plan.kind, makeRoutes(plan.routes));
  for (let i = 0; i < count; i++) {
    const route = routes[i % routes.length];
    const lines = [
      `${route?.method} ${route?.prefix}${LAST_SEGMENT[plan.kind] ?? i} HTTP/1.1`,
      'Host: api.example.com',
      'User-Agent: bench',
      'Accept: */*',
    ];
    if (plan.tokens !== null) lines.push(`Authorization: Bearer ${plan.tokens[i % plan.tokens.length]}`);
    const body = route?.method === 'POST' ? BODY : '';
    if (body !== '') lines.push('Content-Type: text/plain', `Content-Length: ${body.length}`);
    // HTTP has no use for NUL, so it marks where a request ends.
    yield `${lines.join('\r\n')}\r\n\r\n${body}\0`;
  }
}
