import { parseTemplate } from '../path-template.ts';
import type { Finding } from '../problem.ts';
import type { ClaimMatchConfig } from '../schema/rules.ts';
import { didYouMean } from '../suggest.ts';
import type { Check } from './check.ts';
import { allConditions, conditionsOf, type PlacedConditions, placedValues } from './conditions.ts';

/** A claim compared with `"{name}"` needs a path that has such a parameter, and a comparison that can take one. */
export const claimParameters: Check = (draft) =>
  conditionsOf(draft).flatMap((outer) => {
    const [section, index] = outer.path;
    const route = section === 'routes' ? draft.routes[Number(index)] : undefined;
    const names = route ? parametersOf(route.match.path, route.match.permit) : null;
    return allConditions(outer).flatMap((place) => claimFindings(place, names));
  });

function parametersOf(path: string, permit: readonly string[]): string[] {
  const { segments } = parseTemplate(path, permit);
  return segments.flatMap((segment) => (segment.kind === 'static' ? [] : [segment.name]));
}

/** @param names the parameters of the path; null where there is no path */
function claimFindings({ path, conditions }: PlacedConditions, names: readonly string[] | null): Finding[] {
  return Object.entries(conditions.claims ?? {}).flatMap(([claim, match]) =>
    operandsOf(match, [...path, 'claims', claim]).flatMap(({ path: here, value, fixed }) => {
      const name = typeof value === 'string' ? /^\{([^{}]*)\}$/.exec(value)?.[1] : undefined;
      if (name === undefined) return [];
      if (fixed) return [{ path: here, message: 'a path parameter can be compared as a whole only' }];
      if (names === null) return [{ path: here, message: 'there is no path here to take a parameter from' }];
      if (names.includes(name)) return [];
      const guess = didYouMean(name, names);
      return [{ path: here, message: `the path of this route has no parameter {${name}}${guess}` }];
    }),
  );
}

interface Operand {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** Whether a parameter cannot stand here. */
  readonly fixed: boolean;
}

function operandsOf(match: ClaimMatchConfig, path: Operand['path']): Operand[] {
  if (typeof match !== 'object' || Array.isArray(match)) {
    return placedValues<unknown>(match, path).map((each) => ({ ...each, fixed: false }));
  }
  return Object.entries(match).flatMap(([key, value]) =>
    placedValues<unknown>(value, [...path, key]).map((each) => ({
      ...each,
      fixed: key === 'startsWith' || key === 'contains',
    })),
  );
}
