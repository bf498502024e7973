import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../../src/authorize/compile-routes.ts';
import { compileConditions } from '../../../src/authorize/compile-rule.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { compileUpstreams } from '../../../src/prepare/compile-upstreams.ts';
import { compileSigning } from '../../../src/sign/compile-signing.ts';
import { problemsIn } from '../../support/config-text.ts';

const signed = (...routes: string[]): string => `
      upstreams:
        board: { url: http://board.internal }
        archive: { url: https://a.execute-api.us-east-1.amazonaws.com, sign: { credentials: { source: default } } }
      routes:
${routes.map((route) => `        - { match: { path: /a }, upstream: archive, id: a, ${route} }`).join('\n')}
`;

const MISSING =
  'is missing: this route signs what it sends, which enforce: false in general would do for anybody: say true';
const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'a signed route in shadow mode',
    signed('allow: authenticated, enforce: false'),
    [
      'c.yaml:5:85: routes[0].enforce: false cannot stand where requests are signed: they would be signed for anybody',
    ],
  ],
  [
    'a signed route, all being in shadow mode',
    `${signed('allow: { groups: [writers] }')}enforce: false`,
    [`c.yaml:5:5: routes[0].enforce: ${MISSING}`],
  ],
  [
    'a signed route for guests, all being in shadow mode',
    `${signed('allow: optional')}enforce: false`,
    [`c.yaml:5:5: routes[0].enforce: ${MISSING}`],
  ],
  ['a signed route that says true', `${signed('allow: authenticated, enforce: true')}enforce: false`, []],
  ['a signed public route', `${signed('allow: public')}enforce: false`, []],
  [
    'a public route in shadow mode',
    'routes: [{ id: a, match: { path: /a }, allow: public, enforce: false, upstream: board }]',
    ['c.yaml:1:64: routes[0].enforce: a public route refuses nobody: leave it out'],
  ],
  ['all in shadow mode', 'enforce: false', []],
  ['a word', 'enforce: shadow', ['c.yaml:1:10: enforce: expected true or false, got "shadow"']],
];

describe('enforce', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    const flat = yaml.replace(/^ {6}/gm, '');
    expect(problemsIn(flat)).toEqual(lines);
  });

  it('is true of a signed route whatever a configuration says that nobody has checked', () => {
    const config = configSchema.parse({
      enforce: false,
      upstreams: {
        archive: {
          url: 'https://a.execute-api.us-east-1.amazonaws.com',
          sign: { credentials: { source: 'default' } },
        },
        board: { url: 'http://board.test' },
      },
      routes: [
        { id: 'a', match: { path: '/a' }, allow: 'authenticated', enforce: false, upstream: 'archive' },
        { id: 'b', match: { path: '/b' }, allow: 'authenticated', upstream: 'board' },
        { id: 'c', match: { path: '/c' }, allow: 'public', upstream: 'board' },
        { id: 'd', match: { path: '/d' }, allow: 'authenticated', enforce: true, upstream: 'board' },
      ],
    });
    const upstreams = compileUpstreams(config, compileSigning(config, compileConditions));
    expect(compileRoutes(config, upstreams).map(({ enforce }) => enforce)).toEqual([true, false, true, true]);
  });
});
