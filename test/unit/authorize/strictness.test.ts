import { describe, expect, it } from 'vitest';
import { hasStricterRule, isStricter } from '../../../src/authorize/strictness.ts';
import type { AllowConfig } from '../../../src/config/schema/rules.ts';
import { type RouteSketch, routes } from '../../support/routes.ts';

type RateLimit = NonNullable<RouteSketch['rateLimit']>;

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

  const by = (requests: number, per: string, more: Partial<RateLimit> = {}): RateLimit => ({
    by: 'caller',
    requests,
    per,
    ...more,
  });
  it.each<readonly [RateLimit | undefined, RateLimit | undefined, boolean]>([
    [by(10, '1m'), undefined, true],
    [undefined, by(10, '1m'), false],
    [by(10, '1m'), by(10, '1m'), false],
    [by(10, '1m'), by(11, '1m'), true],
    [by(11, '1m'), by(10, '1m'), false],
    [by(10, '1m', { burst: 600 }), by(600, '1h'), false],
    [by(10, '1m', { burst: 600 }), by(601, '1h'), true],
    [by(10, '1m', { burst: 1 }), by(10, '1m', { burst: 2 }), true],
    [by(10, '1m', { burst: 2 }), by(10, '1m', { burst: 1 }), false],
    [by(10, '1m', { by: 'client' }), by(1, '1h'), true],
    [by(1, '1h'), by(10, '1m', { by: 'client' }), true],
  ])('used %j, than used %j: %s', (rateLimit, than, expected) => {
    const [a, b] = routes([
      { path: '/a', ...(rateLimit && { rateLimit }) },
      { path: '/b', ...(than && { rateLimit: than }) },
    ]);
    expect(a && b && isStricter(a, b)).toBe(expected);
    expect(a && b && hasStricterRule(a, b)).toBe(false);
  });

  it.each<readonly [number | null, number | null, boolean]>([
    [10, null, true],
    [null, 10, false],
    [null, null, false],
    [10, 10, false],
    [10, 11, true],
    [11, 10, false],
  ])('with bodies of %s bytes, than with %s: %s', (bodyBytes, than, expected) => {
    const [a, b] = routes([
      { path: '/a', limits: { bodyBytes } },
      { path: '/b', limits: { bodyBytes: than } },
    ]);
    expect(a && b && isStricter(a, b)).toBe(expected);
  });

  it('for its limits, whatever the rules are', () => {
    const [a, b] = routes([
      { path: '/a', allow: 'public', limits: { bodyBytes: 1 } },
      { path: '/b', allow: writers },
    ]);
    expect(a && b && [isStricter(a, b), isStricter(b, a)]).toEqual([true, true]);
  });

  it('than itself: never', () => {
    const [one] = routes([{ path: '/a', allow: writers }]);
    expect(one && isStricter(one, one)).toBe(false);
  });
});
