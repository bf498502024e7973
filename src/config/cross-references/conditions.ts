import type { ConfigPath } from '../config-path.ts';
import type { Draft } from '../draft.ts';
import type { ConditionsConfig } from '../schema/rules.ts';

/** A conditions object and where it stands. */
export interface PlacedConditions {
  readonly path: ConfigPath;
  readonly conditions: ConditionsConfig;
}

/** Every outermost conditions object: what routes allow, and when roles are taken. */
export function conditionsOf(draft: Draft): PlacedConditions[] {
  const found: PlacedConditions[] = [];
  draft.routes.forEach((route, index) => {
    if (route === null || typeof route.allow === 'string') return;
    found.push({ path: ['routes', index, 'allow'], conditions: route.allow });
  });
  for (const [name, upstream] of draft.upstreams) {
    upstream?.sign?.roles.forEach((role, index) => {
      found.push({ path: ['upstreams', name, 'sign', 'roles', index, 'when'], conditions: role.when });
    });
  }
  return found;
}

/** The conditions nested directly in this object. */
export function nestedConditions({ path, conditions }: PlacedConditions): PlacedConditions[] {
  return (['anyOf', 'allOf', 'noneOf'] as const).flatMap((key) =>
    (conditions[key] ?? []).map((inner, index) => ({ path: [...path, key, index], conditions: inner })),
  );
}

/** The object itself and all that is nested in it. */
export function allConditions(outer: PlacedConditions): PlacedConditions[] {
  return [outer, ...nestedConditions(outer).flatMap(allConditions)];
}

/** One or several as a list, each with its path. */
export function placedValues<T>(
  value: T | T[] | undefined,
  path: ConfigPath,
): { path: ConfigPath; value: T }[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ path, value }];
  return value.map((item, index) => ({ path: [...path, index], value: item }));
}
