import { listWords } from '../describe-value.ts';
import type { Finding } from '../problem.ts';
import type { ConditionsConfig } from '../schema/rules.ts';
import type { Check } from './check.ts';
import { conditionsOf, nestedConditions, type PlacedConditions } from './conditions.ts';

const POOL_SPECIFIC = ['groups', 'scopes', 'claims', 'clientIds', 'tokenUse'] as const;

/**
 * Where several pools are configured, conditions must say which pool's tokens they are about: whoever may create groups
 * in one pool must not become an "admin" of routes meant for another.
 */
export const poolSaid: Check = (draft) => {
  if (draft.userPools.size < 2) return [];
  return conditionsOf(draft).flatMap((place) => unsaid(place, false, [...draft.userPools.keys()]));
};

function unsaid(place: PlacedConditions, saidOutside: boolean, pools: readonly string[]): Finding[] {
  const said = saidOutside || saysPool(place.conditions);
  if (said) return [];
  const [used] = POOL_SPECIFIC.filter((key) => place.conditions[key] !== undefined);
  const nested = nestedConditions(place).flatMap((inner) => unsaid(inner, said, pools));
  if (used === undefined) return nested;
  const message = `is missing: there are several user pools (${listWords(pools, 'and')}), and ${used} of one are not those of another`;
  return [{ path: [...place.path, 'userPools'], message, at: 'parent' }, ...nested];
}

/** Whether the conditions can only hold for tokens of pools that they name. */
function saysPool(conditions: ConditionsConfig): boolean {
  if (conditions.userPools !== undefined) return true;
  if (conditions.allOf?.some(saysPool)) return true;
  return conditions.anyOf?.every(saysPool) ?? false;
}
