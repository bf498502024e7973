import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { makeDashboard } from '../../deploy/grafana/dashboard.ts';
import { ERRORS } from '../../src/core/errors.ts';
import { itWith, runTool } from '../support/debian-tools.ts';
import { checkWithApi } from '../support/kubernetes-api.ts';
import { alerts, dashboard, graphs, groups, rules } from '../support/monitoring-files.ts';
import { groupingLabelsIn, labelsBySeries, type Matcher, selectorsIn } from '../support/promql.ts';
import { bearer, type ProxyConfig, startProxy } from '../support/proxy.ts';
import { startSigningStack } from '../support/signing-stack.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const itWithPromtool = itWith('promtool');

/** Everything asked of Prometheus, by where it is asked. */
const queries: readonly (readonly [where: string, expr: string])[] = [
  ...rules.map((rule) => [`rule ${rule.alert ?? rule.record}`, rule.expr] as const),
  ...graphs.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`panel ${title}`, expr] as const),
  ),
  ...dashboard.annotations.list.map(({ expr }) => ['annotation', expr] as const),
  ...dashboard.templating.list
    .filter(({ name }) => name !== 'datasource')
    .map(
      ({ name, query }) =>
        [`choice of ${name}`, /^label_values\((.*), \w+\)$/.exec(query)?.[1] ?? ''] as const,
    ),
];

const route = (
  id: string,
  upstream = 'board',
  allow: ProxyConfig['routes'][number]['allow'] = 'authenticated',
) => ({ id, match: { path: `/${id}` }, allow, upstream }) as const;
const CONFIG: ProxyConfig = {
  routes: [
    route('posts'),
    route('groups', 'board', { groups: ['writers'] }),
    { ...route('tried'), enforce: false },
    { ...route('limited'), rateLimit: { by: 'caller', requests: 100, per: '1m' } },
  ],
  upstreams: { board: { limits: { requests: 10 } } },
  // Nobody listens there.
  rateLimits: { store: { redis: 'redis://127.0.0.1:1' }, onStoreFailure: 'open' },
};

/** Of a proxy that does not sign, and of one that does. */
const scrapes: string[] = [];

beforeAll(async () => {
  const proxy = await startProxy(CONFIG);
  const token = bearer(proxy.token());
  const statuses = [
    await proxy.request('GET /posts HTTP/1.1', [token]),
    await proxy.request('GET /posts HTTP/1.1'),
    await proxy.request('GET /groups HTTP/1.1', [token]),
    await proxy.request('GET /nowhere HTTP/1.1'),
    await proxy.request('GET /tried HTTP/1.1'),
    await proxy.request('GET /limited HTTP/1.1', [token]),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 401, 403, 404, 200, 200]);
  await proxy.reload(CONFIG);
  proxy.service.reloadFailed();
  await proxy.upstream.stop();
  for (let failures = 0; failures < 3; failures += 1) {
    expect((await proxy.request('GET /posts HTTP/1.1', [token])).status).toBe(502);
  }
  scrapes.push(await proxy.metrics());
  await proxy.stop();

  const signing = await startSigningStack();
  const signed = await signing.proxy.request('GET /items HTTP/1.1', [bearer(signing.idToken())]);
  expect(signed.status).toBe(200);
  scrapes.push(await signing.proxy.metrics());
  await signing.stop();
});

/** Labels that Prometheus puts on what it scrapes. */
const SCRAPE_LABELS = ['job', 'instance'];

describe('what rules and dashboard ask for', () => {
  it.each(queries)('%s: is on /metrics', (_where, expr) => {
    const series = labelsBySeries(scrapes.join(''));
    const recorded = new Set(rules.map((rule) => rule.record));
    const selectors = selectorsIn(expr).filter(({ metric }) => !recorded.has(metric));
    const known = new Set([...SCRAPE_LABELS, 'le']);
    for (const { metric, matchers } of selectors) {
      expect([...series.keys()]).toContain(metric);
      for (const label of series.get(metric) ?? []) known.add(label);
      expect([...known]).toEqual(expect.arrayContaining(matchers.map(({ label }) => label)));
      for (const matcher of matchers) expectMeant(matcher);
    }
    expect([...known]).toEqual(expect.arrayContaining(groupingLabelsIn(expr)));
    expect(selectors.length + recorded.size).toBeGreaterThan(0);
  });

  /** Values that come from fixed sets must be in those sets: a code that is no more would never be seen again. */
  function expectMeant({ label, operator, value }: Matcher): void {
    const sets: Readonly<Record<string, readonly string[]>> = {
      code: Object.keys(ERRORS),
      decision: ['allow', 'deny', 'fault'],
      result: ['hit', 'miss', 'success', 'failure', 'absent', 'throttled'],
    };
    const set = sets[label];
    if (set === undefined) return;
    const values = operator.endsWith('~') ? value.split('|') : [value];
    expect(set, `${label}${operator}"${value}"`).toEqual(expect.arrayContaining(values));
  }

  itWithPromtool('is PromQL, as promtool reads it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'promql-test-'));
    const recordings = queries.map(([, expr], index) => ({
      record: `query_${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replace(/"\$\w+"/g, '".*"'),
    }));
    writeFileSync(
      join(folder, 'queries.yaml'),
      stringify({ groups: [{ name: 'queries', rules: recordings }] }),
    );
    expect(runTool('promtool', ['check', 'rules', join(folder, 'queries.yaml')])).toContain(
      `${queries.length} rules found`,
    );
    rmSync(folder, { recursive: true });
  });
});

const documentedMetrics = (): string[] =>
  [...read('docs/metrics.md').matchAll(/^\| `([a-z_]+)` /gm)].map(([, name = '']) => name);

describe('/metrics', () => {
  itWithPromtool('is accepted by promtool, its linter included', () => {
    for (const scrape of scrapes)
      expect(runTool('promtool', ['check', 'metrics'], { input: scrape })).toBe('');
  });

  it('is what docs/metrics.md says', () => {
    const scraped = [...(scrapes[0] ?? '').matchAll(/^# TYPE ((?:cognito|http)\w+) /gm)].map(
      ([, name]) => name,
    );
    expect(documentedMetrics().sort()).toEqual(scraped.sort());
  });
});

describe('deploy/prometheus/rules.yaml', () => {
  itWithPromtool('is accepted by promtool', () => {
    const said = runTool('promtool', ['check', 'rules', join(ROOT, 'deploy/prometheus/rules.yaml')]);
    expect(said).toContain(`${rules.length} rules found`);
  });

  itWithPromtool('fires when rules.test.yaml says, and not otherwise', () => {
    expect(runTool('promtool', ['test', 'rules', join(ROOT, 'deploy/prometheus/rules.test.yaml')])).toContain(
      'SUCCESS',
    );
  });

  it.each(alerts.map((alert) => [alert.alert, alert] as const))('%s says what to do', (name, alert) => {
    expect(Object.keys(alert.annotations ?? {})).toEqual(['summary', 'description', 'runbook']);
    expect(['warning', 'critical']).toContain(alert.labels?.['severity']);
    const firing = `ALERTS{alertname="${name}", alertstate="firing", severity="${alert.labels?.['severity']}"`;
    expect(read('deploy/prometheus/rules.test.yaml')).toContain(firing);
  });

  it('is all in docs/metrics.md, and nothing else is', () => {
    const [, section = ''] = /\n## Alerts\n([\s\S]*?)\n## /.exec(read('docs/metrics.md')) ?? [];
    const lastCells = [...section.matchAll(/\| ([^|]*) \|$/gm)].map(([, cell = '']) => cell);
    const named = lastCells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)]).map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual(
      alerts.map(({ alert }) => alert?.replace('CognitoAuthProxy', '')).sort(),
    );
  });

  it('becomes a PrometheusRule by the lines in the README', () => {
    const [, lines = ''] = /(\{ printf [\s\S]*?)```/.exec(read('deploy/kubernetes/README.md')) ?? [];
    const script = `kubectl() { cat; }\n${lines}`;
    const object = parse(execFileSync('sh', ['-c', script], { cwd: ROOT, encoding: 'utf8' })) as object;
    checkWithApi(object);
    expect(object).toEqual({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'auth-proxy' },
      spec: { groups },
    });
  });
});

describe('docs/scaling.md', () => {
  const rows = [
    ...read('docs/scaling.md').matchAll(/^\| `(\w+)` (?:.*)\| +(?:`(\w+)`)? +\| ([^|]+?) +\|$/gm),
  ];

  it('has metrics to watch', () => expect(rows.length).toBeGreaterThan(3));

  it.each(rows.map(([, ...row]) => row))('%s: alert %s and panel %s are about it', (metric, alert, panel) => {
    const asks = (where: string): string[] =>
      queries
        .filter(([place]) => place === where)
        .flatMap(([, expr]) => selectorsIn(expr).map((selector) => selector.metric));
    expect(asks(`panel ${panel}`)).toContain(metric);
    if (alert !== undefined) expect(asks(`rule CognitoAuthProxy${alert}`)).toContain(metric);
  });
});

describe('deploy/grafana/dashboard.json', () => {
  it('is what the files beside it make', () => {
    expect(dashboard).toEqual(JSON.parse(JSON.stringify(makeDashboard())));
  });

  it.each(graphs.map((panel) => [panel.title, panel] as const))('%s says what to do', (_title, panel) => {
    expect(panel.description?.length).toBeGreaterThan(60);
    expect(panel.targets?.every(({ legendFormat }) => legendFormat !== '')).toBe(true);
  });

  it('shows every metric that docs/metrics.md has', () => {
    const asked = queries
      .filter(([where]) => where.startsWith('panel '))
      .flatMap(([, expr]) =>
        selectorsIn(expr).map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, '')),
      );
    expect(documentedMetrics().filter((name) => !asked.includes(name))).toEqual([]);
  });

  it('has panels of their own names, side by side', () => {
    expect(new Set(graphs.map(({ title }) => title)).size).toBe(graphs.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});
