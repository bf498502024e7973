import { describe, expect, it } from 'vitest';
import { compileRule } from '../../../src/authorize/compile-rule.ts';
import { type AllowConfig, allow } from '../../../src/config/schema/rules.ts';
import type { Condition } from '../../../src/core/rule.ts';

/** Through the schema, as a configuration comes. */
const compile = (written: AllowConfig): unknown => {
  const rule = compileRule(allow.parse(written));
  return rule.kind === 'conditions' ? rule.condition : rule.kind;
};

const groups = (quantifier: 'anyOf' | 'allOf' | 'noneOf', ...values: string[]): Condition => ({
  kind: 'groups',
  quantifier,
  values,
});

describe('compileRule', () => {
  it.each<readonly [AllowConfig, unknown]>([
    ['public', 'public'],
    ['optional', 'optional'],
    ['authenticated', 'authenticated'],
    [{ groups: 'a' }, groups('anyOf', 'a')],
    [{ groups: ['a', 'b'] }, groups('anyOf', 'a', 'b')],
    [{ groups: { allOf: ['a', 'b'] } }, groups('allOf', 'a', 'b')],
    [
      { groups: { noneOf: ['c'], anyOf: ['a'], allOf: ['b'] } },
      { kind: 'all', of: [groups('anyOf', 'a'), groups('allOf', 'b'), groups('noneOf', 'c')] },
    ],
    [{ userPools: 'a' }, { kind: 'userPools', values: ['a'] }],
    [{ clientIds: ['a', 'b'] }, { kind: 'clientIds', values: ['a', 'b'] }],
    [{ tokenUse: 'id' }, { kind: 'tokenUse', values: ['id'] }],
    [
      { claims: { a: 1 } },
      { kind: 'claim', name: 'a', test: { kind: 'equals', values: [{ literal: '1' }] } },
    ],
    [
      { claims: { a: [true, '{b}', 'x{b}', '{}'] } },
      {
        kind: 'claim',
        name: 'a',
        test: {
          kind: 'equals',
          values: [{ literal: 'true' }, { parameter: 'b' }, { literal: 'x{b}' }, { literal: '{}' }],
        },
      },
    ],
    [
      { claims: { a: { not: '{b}' } } },
      { kind: 'claim', name: 'a', test: { kind: 'not', values: [{ parameter: 'b' }] } },
    ],
    [
      { claims: { a: { present: false } } },
      { kind: 'claim', name: 'a', test: { kind: 'present', expected: false } },
    ],
    [
      { claims: { a: { startsWith: '{b}' } } },
      { kind: 'claim', name: 'a', test: { kind: 'startsWith', value: '{b}' } },
    ],
    [
      { claims: { a: { contains: 7 } } },
      { kind: 'claim', name: 'a', test: { kind: 'contains', value: '7' } },
    ],
    [{ anyOf: [{ groups: 'a' }] }, { kind: 'any', of: [groups('anyOf', 'a')] }],
    [{ allOf: [{ groups: 'a' }] }, { kind: 'all', of: [groups('anyOf', 'a')] }],
    [{ noneOf: [{ groups: 'a' }] }, { kind: 'none', of: [groups('anyOf', 'a')] }],
    [
      { anyOf: [{ groups: 'a', tokenUse: 'id' }, { noneOf: [{ groups: 'b' }] }] },
      {
        kind: 'any',
        of: [
          { kind: 'all', of: [{ kind: 'tokenUse', values: ['id'] }, groups('anyOf', 'a')] },
          { kind: 'none', of: [groups('anyOf', 'b')] },
        ],
      },
    ],
  ])('%j', (written, expected) => {
    expect(compile(written)).toEqual(expected);
  });

  it('loses no part of a rule', () => {
    const everything: AllowConfig = {
      groups: 'g',
      scopes: 's',
      claims: { c: 1, d: 2 },
      userPools: 'u',
      clientIds: 'i',
      tokenUse: 'id',
      anyOf: [{ groups: 'x' }],
      allOf: [{ groups: 'y' }],
      noneOf: [{ groups: 'z' }],
    };
    const compiled = compile(everything) as { kind: string; of: Condition[] };
    expect(compiled.kind).toBe('all');
    expect(compiled.of.map((part) => part.kind)).toEqual([
      'userPools',
      'clientIds',
      'tokenUse',
      'groups',
      'scopes',
      'claim',
      'claim',
      'all',
      'any',
      'none',
    ]);
    // A condition that the schema learns and the compiler does not would be a hole.
    expect(Object.keys(everything).length + 1).toBe(compiled.of.length);
  });
});
