import { expect, it } from 'vitest';
import { summarizeRoutes, tabulateRoutes } from '../../../src/observe/summarize-routes.ts';
import { configOf } from '../../support/config-text.ts';

const routes = summarizeRoutes(
  configOf(`
    routes:
      - { id: health, match: { methods: [GET, HEAD], path: /healthz }, allow: public, upstream: board }
      - { id: posts, match: { host: API.example.com, path: "/{a}/{b+}" }, allow: { groups: [writers] }, enforce: false, upstream: board }
  `),
);

it('sums up routes for people and for scripts', () => {
  expect(routes).toEqual([
    {
      id: 'health',
      host: '*',
      methods: 'GET,HEAD',
      path: '/healthz',
      allow: 'public',
      enforce: true,
      upstream: 'board',
    },
    {
      id: 'posts',
      host: 'api.example.com',
      methods: '*',
      path: '/{a}/{b+}',
      allow: expect.stringContaining('"groups"'),
      enforce: false,
      upstream: 'board',
    },
  ]);
});

it('lays them out in columns', () => {
  const lines = tabulateRoutes(routes.map((route) => ({ ...route, allow: 'x' }))).split('\n');
  expect(lines).toEqual([
    'ROUTE   HOST             METHODS   PATH       ALLOW             UPSTREAM',
    'health  *                GET,HEAD  /healthz   x                 board',
    'posts   api.example.com  *         /{a}/{b+}  x (not enforced)  board',
  ]);
});
