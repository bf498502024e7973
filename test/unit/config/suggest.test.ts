import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../../src/config/suggest.ts';

const KEYS = ['server', 'admin', 'userPools', 'upstreams', 'routes', 'id', 'ip'];

describe('did you mean', () => {
  it.each([
    ['servr', 'server'],
    ['sevrer', 'server'],
    ['Server', 'server'],
    ['userPool', 'userPools'],
    ['userpools', 'userPools'],
    ['upstraem', 'upstreams'],
    ['route', 'routes'],
    ['rotues', 'routes'],
    ['user', 'userPools'],
    ['administration', 'admin'],
    ['metrics', null],
    ['ie', null],
    ['', null],
    ['a', null],
  ])('%s: %s', (written, meant) => {
    expect(nearest(written, KEYS)).toBe(meant);
  });

  it('prefers the nearer one', () => {
    expect(nearest('anyof', ['allOf', 'anyOf', 'noneOf'])).toBe('anyOf');
  });

  it('is a question, or nothing', () => {
    expect(didYouMean('bord', ['board'])).toBe(', did you mean "board"?');
    expect(didYouMean('bord', [])).toBe('');
  });
});
