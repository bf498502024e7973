import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/authorize/decide.ts';
import { explainCondition } from '../../../src/authorize/explain-rule.ts';
import type { ConditionsConfig } from '../../../src/config/schema/rules.ts';
import { principal } from '../../support/principal.ts';
import { route } from '../../support/routes.ts';

const alice = principal({ groups: ['writers'], scopes: ['posts/read'] });

function explain(allow: ConditionsConfig): string[] {
  const judged = route({ path: '/', allow });
  if (judged.rule.kind !== 'conditions') throw new Error('no conditions');
  const explained = explainCondition(judged.rule.condition, alice, {});
  expect(explained[0]?.holds).toBe(decide(judged, alice, {}) === undefined);
  return explained.map(
    ({ condition, holds, depth }) => `${'  '.repeat(depth)}${holds ? '+' : '-'} ${condition}`,
  );
}

describe('explainCondition', () => {
  it('tells of one condition whether it holds', () => {
    expect(explain({ groups: 'writers' })).toEqual(['+ groups anyOf [writers]']);
    expect(explain({ groups: 'admins' })).toEqual(['- groups anyOf [admins]']);
  });

  it('tells of all of them, where the decision ends at the first that does not hold', () => {
    expect(
      explain({
        groups: 'admins',
        scopes: { allOf: ['posts/read', 'posts/write'] },
        tokenUse: 'access',
        anyOf: [{ groups: 'writers' }, { userPools: 'staff' }],
        noneOf: [{ allOf: [{ groups: 'writers' }, { clientIds: 'other' }] }],
      }),
    ).toEqual([
      '- all of',
      '  + tokenUse [access]',
      '  - groups anyOf [admins]',
      '  - scopes allOf [posts/read, posts/write]',
      '  + any of',
      '    + groups anyOf [writers]',
      '    - userPools [staff]',
      '  + none of',
      '    - all of',
      '      + groups anyOf [writers]',
      '      - clientIds [other]',
    ]);
  });
});
