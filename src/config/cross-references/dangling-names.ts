import type { ConfigPath } from '../config-path.ts';
import { listWords } from '../describe-value.ts';
import type { Finding } from '../problem.ts';
import { didYouMean } from '../suggest.ts';
import { type Check, isUnreadable } from './check.ts';
import { allConditions, conditionsOf, placedValues } from './conditions.ts';

const KINDS = { upstreams: 'upstream', userPools: 'user pool', identityPools: 'identity pool' } as const;
type Section = keyof typeof KINDS;

/** Every name that refers to another part of the file must be the name of one. */
export const danglingNames: Check = (draft, context) => {
  const findings: Finding[] = [];
  const refer = (section: Section, name: string, path: ConfigPath): void => {
    const known = [...draft[section].keys()];
    if (known.includes(name) || isUnreadable(section, context)) return;
    if (section === 'upstreams' && known.length === 0) return;
    const message = `there is no ${KINDS[section]} ${context.telling.name(path, name)}${hint(name, known)}`;
    findings.push({ path, message });
  };

  draft.routes.forEach((route, index) => {
    if (route !== null) refer('upstreams', route.upstream, ['routes', index, 'upstream']);
  });
  for (const place of conditionsOf(draft).flatMap(allConditions)) {
    const pools = placedValues(place.conditions.userPools, [...place.path, 'userPools']);
    for (const { path, value } of pools) refer('userPools', value, path);
  }
  for (const [name, pool] of draft.identityPools) {
    if (pool !== null) refer('userPools', pool.userPool, ['identityPools', name, 'userPool']);
  }
  for (const [name, upstream] of draft.upstreams) {
    const credentials = upstream?.sign?.credentials;
    if (credentials === undefined || !('identityPool' in credentials)) continue;
    const path = ['upstreams', name, 'sign', 'credentials', 'identityPool'];
    refer('identityPools', credentials.identityPool, path);
  }
  return findings;
};

function hint(name: string, known: readonly string[]): string {
  const guess = didYouMean(name, known);
  if (guess !== '' || known.length === 0 || known.length > 8) return guess;
  return `, expected ${listWords(known.map((each) => JSON.stringify(each)))}`;
}
