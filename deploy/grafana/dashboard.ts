/**
 * Writes dashboard.json, for Grafana 10 and newer, from what the files beside this one say:
 *
 *   node deploy/grafana/dashboard.ts && npm run format
 */
import { writeFileSync } from 'node:fs';
import { configuration, credentials, keysAndTokens, rateLimits, saturation } from './inside.ts';
import { whoIsAtFault } from './overview.ts';
import type { Panel } from './panel.ts';
import { decisions, latency, shadow, traffic } from './requests.ts';

const ROWS = [
  whoIsAtFault,
  traffic,
  decisions,
  shadow,
  latency,
  keysAndTokens,
  credentials,
  saturation,
  rateLimits,
  configuration,
];

/** Grafana's grid is 24 columns wide. */
const COLUMNS = 24;
const HEIGHT = { stat: 5, lines: 8, areas: 8 } as const;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** Where a panel stands. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The dashboard as Grafana imports it. */
export function makeDashboard(): object {
  return {
    uid: 'cognito-auth-proxy',
    title: 'cognito-auth-proxy',
    description: 'Who is at fault: the proxy, Cognito, an upstream, a rule, or the callers.',
    tags: ['cognito-auth-proxy'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: [datasourceChoice(), labelChoice('job'), labelChoice('instance', 'job=~"$job"')] },
    annotations: { list: [reloads()] },
    panels: placePanels(),
  };
}

/** Every row's panels side by side, as many as fit. */
function placePanels(): object[] {
  const placed: object[] = [];
  let y = 0;
  const add = (panel: object, gridPos: Place): void => {
    placed.push({ id: placed.length + 1, ...panel, gridPos });
  };
  for (const { title, panels } of ROWS) {
    add({ type: 'row', title, collapsed: false, panels: [] }, { x: 0, y, w: COLUMNS, h: 1 });
    y += 1;
    const perLine = panels[0]?.kind === 'stat' ? panels.length : Math.min(panels.length, 3);
    const w = Math.floor(COLUMNS / perLine);
    for (const [index, panel] of panels.entries()) {
      const h = HEIGHT[panel.kind];
      add(describePanel(panel), { x: (index % perLine) * w, y, w, h });
      if ((index + 1) % perLine === 0 || index + 1 === panels.length) y += h;
    }
  }
  return placed;
}

function describePanel(panel: Panel): object {
  const { title, description, kind, queries } = panel;
  return {
    type: kind === 'stat' ? 'stat' : 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      instant: kind === 'stat',
      range: kind !== 'stat',
    })),
    fieldConfig: { defaults: describeField(panel), overrides: [] },
    options:
      kind === 'stat'
        ? { colorMode: 'background', graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function describeField({ kind, unit, limits = {}, words = {} }: Panel): object {
  const limited = Object.keys(limits).length > 0;
  const shown = kind === 'stat' ? { noValue: 'none' } : { custom: describeLines(kind, limited) };
  const mappings = Object.entries(words).map(([value, text]) => ({
    type: 'value',
    options: { [value]: { text } },
  }));
  const steps = [
    { color: 'green' in limits ? 'red' : 'green', value: null },
    ...Object.entries(limits).map(([color, value]) => ({ color, value })),
  ];
  return { unit, ...shown, mappings, thresholds: { mode: 'absolute', steps } };
}

function describeLines(kind: 'lines' | 'areas', limited: boolean): object {
  return {
    fillOpacity: kind === 'areas' ? 30 : 0,
    stacking: { mode: kind === 'areas' ? 'normal' : 'none' },
    thresholdsStyle: { mode: limited ? 'dashed' : 'off' },
    showPoints: 'never',
  };
}

function datasourceChoice(): object {
  return { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' };
}

function labelChoice(label: string, matchers = ''): object {
  return {
    name: label,
    type: 'query',
    datasource: DATASOURCE,
    query: `label_values(cognito_auth_proxy_requests_in_flight{${matchers}}, ${label})`,
    refresh: 2,
    multi: true,
    includeAll: true,
    current: { text: 'All', value: '$__all' },
  };
}

/** A mark on every graph where a configuration was taken over. */
function reloads(): object {
  const metric = 'cognito_auth_proxy_config_last_reload_success_timestamp_seconds';
  return {
    name: 'Configuration taken over',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'blue',
    expr: `changes(${metric}{job=~"$job", instance=~"$instance"}[$__rate_interval]) > 0`,
    titleFormat: 'configuration taken over',
  };
}

if (import.meta.main) {
  const file = new URL('dashboard.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(makeDashboard(), null, 2)}\n`);
}
