import { describe, expect, it } from 'vitest';
import { isStricter } from '../../../src/authorize/strictness.ts';
import type { AllowConfig } from '../../../src/config/schema/rules.ts';
import { routes } from '../../support/routes.ts';

describe('isStricter', () => {
  const writers = { groups: ['writers'] };
  const admins = { groups: ['admins'] };

  it.each<readonly [AllowConfig, AllowConfig, boolean]>([
    ['public', 'public', false],
    ['optional', 'public', true],
    ['authenticated', 'public', true],
    [writers, 'public', true],
    ['public', 'optional', false],
    ['optional', 'optional', false],
    ['authenticated', 'optional', true],
    [writers, 'optional', true],
    ['public', 'authenticated', false],
    ['optional', 'authenticated', false],
    ['authenticated', 'authenticated', false],
    [writers, 'authenticated', true],
    ['public', writers, false],
    ['authenticated', writers, false],
    [writers, writers, false],
    [{ groups: ['writers'] }, { groups: 'writers' }, false],
    // Two sets of conditions: whoever meets one may not meet the other.
    [admins, writers, true],
    [writers, admins, true],
    [{ groups: ['writers', 'admins'] }, writers, true],
  ])('%j than %j: %s', (other, than, expected) => {
    const [a, b] = routes([
      { path: '/a', allow: other },
      { path: '/b', allow: than },
    ]);
    expect(a && b && isStricter(a, b)).toBe(expected);
  });

  it.each<readonly [boolean, AllowConfig, boolean, AllowConfig, boolean]>([
    [true, 'authenticated', false, 'authenticated', true],
    [true, 'optional', false, writers, true],
    [true, writers, false, writers, true],
    [true, 'public', false, writers, false],
    [false, 'authenticated', true, 'authenticated', false],
    [false, 'authenticated', false, 'authenticated', false],
    // What rules say of each other holds in shadow mode too.
    [false, writers, true, 'public', true],
    [false, writers, false, 'authenticated', true],
  ])('enforced: %s, %j, than enforced: %s, %j: %s', (enforce, other, enforceThan, than, expected) => {
    const [a, b] = routes([
      { path: '/a', allow: other, enforce },
      { path: '/b', allow: than, enforce: enforceThan },
    ]);
    expect(a && b && isStricter(a, b)).toBe(expected);
  });

  it('than itself: never', () => {
    const [one] = routes([{ path: '/a', allow: writers }]);
    expect(one && isStricter(one, one)).toBe(false);
  });
});
