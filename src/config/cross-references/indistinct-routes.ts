import { listWords } from '../describe-value.ts';
import { parseTemplate } from '../path-template.ts';
import type { Finding } from '../problem.ts';
import type { RouteConfig } from '../schema/routes.ts';
import type { Check } from './check.ts';

interface Seen {
  readonly id: string;
  readonly index: number;
  /** Null: any method. */
  readonly methods: ReadonlySet<string> | null;
}

/**
 * Two routes for the same host and the same path, up to the names of parameters, are told apart by their methods: one
 * that names a method is asked before one for any. What both name, or two for any method, can never be told apart.
 */
export const indistinctRoutes: Check = (draft) => {
  const findings: Finding[] = [];
  const seenAt = new Map<string, Seen[]>();
  draft.routes.forEach((route, index) => {
    if (route === null) return;
    const place = `${route.match.host ?? '*'} ${shapeOf(route)}`;
    const methods = route.match.methods === undefined ? null : new Set(route.match.methods);
    const others = seenAt.get(place) ?? [];
    for (const other of others) {
      const common = inCommon(other.methods, methods);
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

/** The methods that both are for, in words; null: none. */
function inCommon(a: Seen['methods'], b: Seen['methods']): string | null {
  if (a === null && b === null) return 'both for any method';
  const common = [...(a ?? [])].filter((method) => b?.has(method));
  return common.length === 0 ? null : `both for ${listWords(common, 'and')}`;
}
