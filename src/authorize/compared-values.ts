import type { Route } from '../core/route.ts';
import type { Condition } from '../core/rule.ts';
import { foldCase } from './foldings.ts';
import type { TemplateSegment } from './path-template.ts';
import { createParameterReader } from './route-index.ts';

/** The path parameters that a condition compares claims with; some may be there twice. */
export function comparedParameters(condition: Condition): string[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
    case 'none':
      return condition.of.flatMap(comparedParameters);
    case 'claim': {
      const { test } = condition;
      if (test.kind !== 'equals' && test.kind !== 'not') return [];
      return test.values.flatMap((operand) => ('parameter' in operand ? [operand.parameter] : []));
    }
    default:
      return [];
  }
}

/** Reads all that a route's rule compares claims with off a path, as one text. */
export type ValuesReader = (path: string) => string;

/** As it is judged, off a path that the route's template matches. */
export function createJudgedReader(route: Route): ValuesReader {
  const read = createParameterReader(route.template);
  const names = namesOf(route);
  return (path) => {
    const parameters = read(path);
    return asOne(names.map((name) => parameters[name] ?? ''));
  };
}

/**
 * As an upstream may take it, off what it may make of a request's path: decoded, folded, without empty segments.
 *
 * @param template the route's, read by the same upstream
 */
export function createServedReader(route: Route, template: readonly TemplateSegment[]): ValuesReader {
  const places = namesOf(route).map((name) =>
    template.findIndex((segment) => segment.kind !== 'static' && segment.name === name),
  );
  return (path) => {
    const segments = path.slice(1).split('/');
    const values = places.map((at) =>
      template[at]?.kind === 'greedy' ? segments.slice(at).join('/') : (segments[at] ?? ''),
    );
    return asOne(values.map((value) => value.replace(/%2f/gi, '/')));
  };
}

function namesOf({ rule }: Route): string[] {
  return rule.kind === 'conditions' ? [...new Set(comparedParameters(rule.condition))].sort() : [];
}

/**
 * Case does not count: names with capitals are names, and nobody could use them if they were refused for what they are in
 * lower case.
 */
function asOne(values: readonly string[]): string {
  return foldCase(JSON.stringify(values));
}
