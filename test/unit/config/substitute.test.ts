import { describe, expect, it } from 'vitest';
import { substitute } from '../../../src/config/substitute.ts';
import { configOf } from '../../support/config-text.ts';

const ENVIRONMENT = {
  NAME: 'board',
  NUMBER: '42',
  EMPTY: '',
  YES: 'true',
  NOTHING: 'null',
  LIST: '[a, b]',
  TRICK: 'a: b',
};
const never = (): boolean => false;

describe('substitution', () => {
  it.each([
    ['plain', 'plain'],
    ['${NAME}', 'board'],
    ['http://${NAME}:${NUMBER}/', 'http://board:42/'],
    ['${NUMBER}', 42],
    ['x${NUMBER}', 'x42'],
    ['${YES}', true],
    ['${NOTHING}', null],
    ['${EMPTY}', ''],
    ['${EMPTY:-7}', 7],
    ['${UNSET:-7}', 7],
    ['${UNSET:-}', ''],
    ['${UNSET:-null}', null],
    ['${UNSET:-a}-${UNSET:-b}', 'a-b'],
    ['${NAME:-other}', 'board'],
    ['${LIST}', '[a, b]'],
    ['${TRICK}', 'a: b'],
    ['$${NAME}', '${NAME}'],
    ['$${NAME} is ${NAME}', '${NAME} is board'],
    ['$NAME and $ and {NAME}', '$NAME and $ and {NAME}'],
    ['${UNSET:-0x1F}', 31],
    ['${UNSET:-1e3}', 1000],
    ['${UNSET:- 7}', ' 7'],
    ['${UNSET:-"7"}', '"7"'],
    ['${UNSET:-7 # not a comment}', '7 # not a comment'],
    ['${UNSET:-&a 7}', '&a 7'],
  ])('%s is %j', (text, value) => {
    expect(substitute({ key: [text] }, ENVIRONMENT, never)).toMatchObject({
      value: { key: [value] },
      findings: [],
    });
  });

  it.each([
    ['${UNSET}', 'the environment variable UNSET is not set, and ${UNSET} gives no default'],
    ['${NAME', 'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${'],
    ['${1}', 'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${'],
    ['${NAME-default}', 'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${'],
    ['${}', 'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${'],
  ])('%s is refused', (text, message) => {
    const { findings } = substitute({ a: { b: [text] } }, ENVIRONMENT, never);
    expect(findings).toEqual([{ path: ['a', 'b', 0], message }]);
  });

  it('tells which texts the environment had a part in', () => {
    const tree = { a: '${NAME}', b: ['x', 'http://${NAME}:${UNSET:-80}/'], c: '${UNSET:-7}', d: '$${NAME}' };
    expect(substitute(tree, ENVIRONMENT, never).filled).toEqual(
      new Map([
        ['["a"]', '${NAME}'],
        ['["b",1]', 'http://${NAME}:${UNSET:-80}/'],
      ]),
    );
  });

  it('is not made in what was substituted', () => {
    expect(substitute('${A}', { A: '${B}', B: 'b' }, never).value).toBe('${B}');
  });

  it('leaves other values alone', () => {
    const value = { a: 1, b: null, c: [true], d: {} };
    expect(substitute(value, {}, never).value).toEqual(value);
  });
});

describe('substitution in a configuration', () => {
  it('is typed where a type is wanted and stays text where text is', () => {
    const config = configOf(
      `
      server: { workers: "\${WORKERS:-2}", listen: "\${HOST:-127.0.0.1}:\${PORT}" }
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: ["\${CLIENT}"] }
      metrics: { routeHistograms: "\${HISTOGRAMS}" }
      routes:
        - { id: "\${ID}", match: { path: /a }, allow: { claims: { level: "\${LEVEL}" } }, upstream: board }
      `,
      { environment: { PORT: '8081', CLIENT: '007', HISTOGRAMS: 'true', ID: '404', LEVEL: '3' } },
    );
    expect(config.server.workers).toBe(2);
    expect(config.server.listen).toEqual({ host: '127.0.0.1', port: 8081 });
    expect(config.userPools['main']?.clientIds).toEqual(['007']);
    expect(config.metrics.routeHistograms).toBe(true);
    expect(config.routes[0]).toMatchObject({ id: '404', allow: { claims: { level: 3 } } });
  });

  it('lifts a check only by a null that is said', () => {
    const text = 'userPools: { main: { userPoolId: us-east-1_Abc, clientIds: "${CLIENTS}" } }';
    expect(configOf(text, { environment: { CLIENTS: 'null' } }).userPools['main']?.clientIds).toBeNull();
    expect(() => configOf(text, { environment: { CLIENTS: '' } })).toThrow('expected a list, got ""');
  });
});
