import type { Case, Entrant, MissingCase } from './case.ts';

const OURS = 'cognito-auth-proxy';
const HAPROXY = 'HAProxy';
const USUAL = 'express + jose';
const UPSTREAM = 'upstream bare';

const MEBIBYTE = 2 ** 20;

const peers: readonly Entrant[] = [
  { label: OURS, contender: 'proxy' },
  { label: HAPROXY, contender: 'haproxy' },
  { label: USUAL, contender: 'usualStack' },
];

/** How many tokens stand for "very many", and for "as many as a busy service sees in an hour". */
export interface Scale {
  readonly most: number;
  readonly many: number;
}

export const FULL: Scale = { most: 100_000, many: 10_000 };
export const QUICK: Scale = { most: 10_000, many: 3_000 };

/** All cases, in the order in which they run. */
export function listCases(scale: Scale): readonly (Case | MissingCase)[] {
  return [
    {
      letter: 'a',
      name: 'known-tokens',
      title: '1,000 callers, GET, 250-byte answer',
      load: { kind: 'saturate', request: 'read' },
      entrants: [...peers, { label: UPSTREAM, contender: 'upstream' }],
      compares: 'rate',
      reference: HAPROXY,
      remembered: 'all',
      goals: [
        {
          what: 'requests/s against HAProxy',
          metric: 'rate',
          entrant: OURS,
          against: HAPROXY,
          direction: 'at least',
          bar: 1,
          aim: 1.5,
        },
        {
          what: 'requests/s against express + jose',
          metric: 'rate',
          entrant: OURS,
          against: USUAL,
          direction: 'at least',
          bar: 3,
          aim: 5,
        },
        {
          what: 'memory when idle, MB',
          metric: 'idleMemory',
          entrant: OURS,
          direction: 'at most',
          bar: 110 * MEBIBYTE,
        },
        {
          what: 'ready after, s',
          metric: 'ready',
          entrant: OURS,
          direction: 'at most',
          bar: 1,
        },
      ],
    },
    {
      letter: 'b',
      name: 'new-tokens',
      title: 'every request with a token not seen before',
      load: { kind: 'saturate', request: 'read' },
      // Twice as many tokens as are remembered, always in the same order: each is forgotten before it comes again.
      entrants: peers.map((peer) => ({ ...peer, tokens: scale.most, cacheEntries: scale.most / 2 })),
      compares: 'rate',
      reference: HAPROXY,
      remembered: 'none',
      goals: [
        {
          what: 'requests/s against HAProxy',
          metric: 'rate',
          entrant: OURS,
          against: HAPROXY,
          direction: 'at least',
          bar: 0.4,
          aim: 0.6,
        },
      ],
    },
    {
      letter: 'c',
      name: 'public-route',
      title: 'a public route, no token',
      load: { kind: 'saturate', request: 'public' },
      entrants: peers,
      compares: 'rate',
      reference: HAPROXY,
      goals: [],
    },
    {
      letter: 'd',
      name: 'post',
      title: '1,000 callers, POST 1 KB',
      load: { kind: 'saturate', request: 'write' },
      entrants: peers,
      compares: 'rate',
      reference: HAPROXY,
      remembered: 'all',
      goals: [],
    },
    {
      letter: 'e',
      name: 'signed-post',
      title: '1,000 callers, POST 1 KB, signed with the credentials of each',
      load: { kind: 'saturate', request: 'write' },
      entrants: [
        { label: OURS, contender: 'proxy' },
        { label: `${OURS}, signing`, contender: 'proxy', signs: true },
      ],
      compares: 'rate',
      reference: OURS,
      remembered: 'all',
      goals: [
        {
          what: 'requests/s signing against not signing',
          metric: 'rate',
          entrant: `${OURS}, signing`,
          against: OURS,
          direction: 'at least',
          bar: 0.5,
          aim: 0.7,
        },
      ],
    },
    {
      letter: 'f',
      name: 'large-answers',
      title: '1,000 callers, GET, 100 KB answer',
      load: { kind: 'saturate', request: 'large' },
      entrants: peers,
      compares: 'rate',
      reference: HAPROXY,
      remembered: 'all',
      goals: [],
    },
    {
      letter: 'f',
      name: 'stream',
      title: 'one answer of 1 GiB',
      load: { kind: 'stream' },
      entrants: peers,
      compares: 'rate',
      reference: HAPROXY,
      goals: [
        {
          what: 'MiB/s of one stream against HAProxy',
          metric: 'rate',
          entrant: OURS,
          against: HAPROXY,
          direction: 'at least',
          bar: 0.5,
          aim: 0.9,
        },
      ],
    },
    {
      letter: 'g',
      name: 'flood',
      title: 'as many connections again that send forged tokens',
      load: { kind: 'saturate', request: 'read' },
      entrants: [
        { label: `${OURS}, calm`, contender: 'proxy' },
        { label: `${OURS}, flooded`, contender: 'proxy', beside: { kind: 'flood' } },
        { label: `${HAPROXY}, calm`, contender: 'haproxy' },
        { label: `${HAPROXY}, flooded`, contender: 'haproxy', beside: { kind: 'flood' } },
      ],
      compares: 'p99',
      reference: `${OURS}, calm`,
      goals: [
        {
          what: 'p99 of valid callers under a flood of forgeries against without',
          metric: 'p99',
          entrant: `${OURS}, flooded`,
          against: `${OURS}, calm`,
          direction: 'at most',
          bar: 3,
          aim: 2,
        },
      ],
    },
    {
      letter: 'h',
      name: 'routes',
      title: '10 to 5,000 routes, all of them in use',
      load: { kind: 'saturate', request: 'read' },
      entrants: [10, 100, 1_000, 5_000].map((routes) => ({
        label: `${routes.toLocaleString('en')} routes`,
        contender: 'proxy',
        routes,
        // As many requests in all four, so that only the routes differ.
        tokens: 5_000,
      })),
      compares: 'rate',
      reference: '10 routes',
      remembered: 'all',
      goals: [
        {
          what: 'requests/s with 5,000 routes against 10',
          metric: 'rate',
          entrant: '5,000 routes',
          against: '10 routes',
          direction: 'at least',
          bar: 0.95,
          aim: 1,
        },
      ],
    },
    {
      letter: 'i',
      name: 'many-tokens',
      title: 'more and more callers, all remembered',
      load: { kind: 'saturate', request: 'read' },
      entrants: [1_000, scale.many, scale.most].map((tokens) => ({
        label: `${tokens.toLocaleString('en')} tokens`,
        contender: 'proxy',
        tokens,
        cacheEntries: scale.most,
      })),
      compares: 'rate',
      reference: '1,000 tokens',
      remembered: 'all',
      goals: [
        {
          what: `requests/s with ${scale.most.toLocaleString('en')} tokens against 1,000`,
          metric: 'rate',
          entrant: `${scale.most.toLocaleString('en')} tokens`,
          against: '1,000 tokens',
          direction: 'at least',
          bar: 0.8,
          aim: 0.95,
        },
      ],
    },
    {
      letter: 'j',
      name: 'idle-connections',
      title: `5,000 idle connections beside the load, ${scale.many.toLocaleString('en')} callers`,
      load: { kind: 'saturate', request: 'read' },
      entrants: [
        { label: OURS, contender: 'proxy', tokens: scale.many },
        {
          label: `${OURS}, 5,000 idle`,
          contender: 'proxy',
          tokens: scale.many,
          beside: { kind: 'idle', connections: 5_000 },
        },
        {
          label: `${HAPROXY}, 5,000 idle`,
          contender: 'haproxy',
          tokens: scale.many,
          beside: { kind: 'idle', connections: 5_000 },
        },
      ],
      compares: 'rate',
      reference: OURS,
      remembered: 'all',
      goals: [
        {
          what: `peak memory with 5,000 idle connections and ${scale.many.toLocaleString('en')} tokens, MB`,
          // Later rounds open as many connections anew, and the old ones' garbage comes on top.
          metric: 'firstPeakMemory',
          entrant: `${OURS}, 5,000 idle`,
          direction: 'at most',
          bar: 250 * MEBIBYTE,
        },
      ],
    },
    {
      letter: 'k',
      name: 'workers',
      title: 'one worker and two',
      load: { kind: 'saturate', request: 'read' },
      entrants: [
        { label: '1 worker', contender: 'proxy', cores: 2 },
        { label: '2 workers', contender: 'proxy', workers: 2, cores: 2 },
      ],
      compares: 'cpu',
      reference: '1 worker',
      remembered: 'all',
      goals: [
        {
          what: 'CPU per request with 2 workers against 1',
          metric: 'cpu',
          entrant: '2 workers',
          against: '1 worker',
          direction: 'at most',
          bar: 1.15,
          aim: 1.05,
        },
      ],
    },
    {
      letter: 'l',
      name: 'fixed-rate',
      title: "half of HAProxy's peak, latency from when each request was due",
      load: { kind: 'paced', request: 'read', share: 0.5, of: HAPROXY },
      entrants: peers.filter(({ contender }) => contender !== 'usualStack'),
      compares: 'p99',
      reference: HAPROXY,
      remembered: 'all',
      goals: [
        {
          what: "p99 at half of HAProxy's peak against HAProxy's",
          metric: 'p99',
          entrant: OURS,
          against: HAPROXY,
          direction: 'at most',
          bar: 2,
          aim: 1,
        },
      ],
    },
  ];
}
