import { listWords } from '../describe-value.ts';
import { parseTemplate } from '../path-template.ts';
import type { Finding } from '../problem.ts';
import type { RouteConfig } from '../schema/routes.ts';
import type { Check } from './check.ts';

interface Seen {
  readonly id: string;
  readonly index: number;
  readonly methods: ReadonlySet<string> | null;
}

/**
 * Two routes for the same host, the same path up to the names of parameters, and a method in common can never be told
 * apart: one of them would never be asked.
 */
export const indistinctRoutes: Check = (draft) => {
  const findings: Finding[] = [];
  const seenAt = new Map<string, Seen[]>();
  draft.routes.forEach((route, index) => {
    if (route === null) return;
    const place = `${route.match.host ?? '*'} ${shapeOf(route)}`;
    const methods = methodsOf(route);
    const others = seenAt.get(place) ?? [];
    for (const other of others) {
      const common = shared(other.methods, methods);
      if (common === null) continue;
      const message = `can never be told apart from route "${other.id}" (routes[${other.index}]): same host, same path, ${common}`;
      findings.push({ path: ['routes', index, 'match'], message });
      break;
    }
    seenAt.set(place, [...others, { id: route.id, index, methods }]);
  });
  return findings;
};

function shapeOf(route: RouteConfig): string {
  const { segments } = parseTemplate(route.match.path, route.match.permit);
  const shapes = { parameter: '{}', greedy: '{+}' };
  return segments.map((part) => (part.kind === 'static' ? part.text : shapes[part.kind])).join('/');
}

/** Null: any method. A route for GET serves HEAD too (RFC 9110 section 9.3.2). */
function methodsOf(route: RouteConfig): Set<string> | null {
  if (route.match.methods === undefined) return null;
  const methods = new Set(route.match.methods);
  if (methods.has('GET')) methods.add('HEAD');
  return methods;
}

/** What both answer to, in words; null: nothing. */
function shared(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): string | null {
  if (a === null && b === null) return 'both for any method';
  if (a === null || b === null) {
    return `one for any method, the other for ${listWords([...(a ?? b ?? [])], 'and')}`;
  }
  const common = [...a].filter((method) => b.has(method));
  return common.length === 0 ? null : `both for ${listWords(common, 'and')}`;
}
