import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../../src/authorize/compile-routes.ts';
import { compileConditions } from '../../../src/authorize/compile-rule.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { compileUpstreams } from '../../../src/prepare/compile-upstreams.ts';
import { compileSigning } from '../../../src/sign/compile-signing.ts';
import { problemsIn } from '../../support/config-text.ts';

const API = 'https://a.execute-api.us-east-1.amazonaws.com';
const tableOf = (...routes: string[]): string => `
upstreams:
  board: { url: http://board.internal }
  archive: { url: ${API}, sign: { credentials: { source: default } } }
routes:
${routes.map((route, i) => `  - { id: r${i}, match: { path: /${i} }, ${route} }`).join('\n')}
`;
const signed = (cors: string): string => tableOf(`allow: authenticated, upstream: archive${cors}`);

const REMEDY = 'name the origins, and the proxy answers, or say null';
const HERE = `upstream cannot stand where requests are signed: preflights would be signed for anybody: ${REMEDY}`;
const EVERYWHERE = `is missing: this route signs what it sends, which cors: upstream in general would do with anybody's preflights: ${REMEDY}`;

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  ['on a signed route', signed(', cors: upstream'), [`c.yaml:5:83: routes[0].cors: ${HERE}`]],
  [
    'on a signed public route',
    tableOf('allow: public, upstream: archive, cors: upstream'),
    [`c.yaml:5:76: routes[0].cors: ${HERE}`],
  ],
  [
    'in general, with signed routes among others',
    `cors: upstream${tableOf('allow: authenticated, upstream: board', 'allow: authenticated, upstream: archive')}`,
    [`c.yaml:7:5: routes[1].cors: ${EVERYWHERE}`],
  ],
  ['in general, and null on the signed route', `cors: upstream${signed(', cors: null')}`, []],
  [
    'in general, and origins on the signed route',
    `cors: upstream${signed(', cors: { origins: [https://app.example.com] }')}`,
    [],
  ],
  ['on a route that is not signed', tableOf('allow: authenticated, upstream: board, cors: upstream'), []],
  [
    'where methods name OPTIONS',
    'routes: [{ id: a, match: { path: /a, methods: [GET, OPTIONS] }, allow: authenticated, upstream: board, cors: upstream }]',
    [
      'c.yaml:1:110: routes[0].cors: upstream lets no preflight pass where match.methods names OPTIONS: leave it out there',
    ],
  ],
  [
    'where methods name OPTIONS for everybody',
    'routes: [{ id: a, match: { path: /a, methods: [GET, OPTIONS] }, allow: public, upstream: board, cors: upstream }]',
    [],
  ],
];

describe('cors: upstream', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });

  it.each(['upstream', null] as const)(
    'is nothing on a signed route, whatever a configuration says that nobody has checked: %s in general',
    (cors) => {
      const config = configSchema.parse({
        cors,
        upstreams: {
          archive: { url: API, sign: { credentials: { source: 'default' } } },
          board: { url: 'http://board.test' },
        },
        routes: [
          { id: 'a', match: { path: '/a' }, allow: 'public', cors: 'upstream', upstream: 'archive' },
          { id: 'b', match: { path: '/b' }, allow: 'authenticated', upstream: 'archive' },
          { id: 'c', match: { path: '/c' }, allow: 'authenticated', upstream: 'board', cors: 'upstream' },
        ],
      });
      const upstreams = compileUpstreams(config, compileSigning(config, compileConditions));
      const compiled = compileRoutes(config, upstreams).map((route) => route.cors);
      expect(compiled).toEqual([null, null, 'upstream']);
    },
  );
});
