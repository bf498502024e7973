import { describe, expect, it } from 'vitest';
import { describeSource, findSource, type Source } from '../../../src/config/find-source.ts';
import type { Environment } from '../../../src/config/substitute.ts';

const SYSTEM = '/etc/cognito-auth-proxy/config.yaml';
const LOCAL = '/srv/cognito-auth-proxy.yaml';
const NAMED = { COGNITO_AUTH_PROXY_CONFIG: 'env.yaml' };
const ALONE = { USER_POOL_ID: 'us-east-1_Abc' };

describe('where the configuration is looked for', () => {
  it.each<[string, string | undefined, Environment, string[], Source | null]>([
    [
      'the command line first',
      'a.yaml',
      NAMED,
      [SYSTEM, LOCAL],
      { kind: 'file', path: '/srv/a.yaml', name: 'a.yaml' },
    ],
    [
      'an absolute path as it is',
      '/b/a.yaml',
      {},
      [],
      { kind: 'file', path: '/b/a.yaml', name: '/b/a.yaml' },
    ],
    [
      'then the variable',
      undefined,
      NAMED,
      [SYSTEM, LOCAL],
      { kind: 'file', path: '/srv/env.yaml', name: 'env.yaml' },
    ],
    ['then the system', undefined, ALONE, [SYSTEM, LOCAL], { kind: 'file', path: SYSTEM, name: SYSTEM }],
    ['then here', undefined, ALONE, [LOCAL], { kind: 'file', path: LOCAL, name: 'cognito-auth-proxy.yaml' }],
    ['then the environment', undefined, ALONE, [], { kind: 'environment' }],
    ['a client is enough to mean it', undefined, { CLIENT_IDS: 'x' }, [], { kind: 'environment' }],
    ['an upstream is enough to mean it', undefined, { UPSTREAM_URL: 'x' }, [], { kind: 'environment' }],
    [
      'an empty variable names nothing',
      undefined,
      { COGNITO_AUTH_PROXY_CONFIG: '', USER_POOL_ID: '' },
      [],
      null,
    ],
    ['a level is no configuration', undefined, { LOG_LEVEL: 'debug' }, [], null],
  ])('%s', (_, named, environment, present, source) => {
    expect(findSource(named, environment, '/srv', (path) => present.includes(path))).toEqual(source);
  });

  it.each<[Source, string]>([
    [{ kind: 'environment' }, 'the environment'],
    [{ kind: 'file', path: '/a/b.yaml', name: 'b.yaml' }, 'b.yaml'],
    [{ kind: 'file', path: '/a/b.yaml' }, '/a/b.yaml'],
    [{ kind: 'text', text: '', name: 'dev', folder: '/' }, 'dev'],
  ])('%j is called %s', (source, name) => {
    expect(describeSource(source)).toBe(name);
  });
});
