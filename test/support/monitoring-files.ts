import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

export const { groups } = parse(read('deploy/prometheus/rules.yaml')) as { groups: { rules: Rule[] }[] };
export const rules = groups.flatMap((group) => group.rules);
/** Rules that wake somebody. */
export const alerts = rules.filter((rule) => rule.alert !== undefined);
export const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as {
  panels: Panel[];
  annotations: { list: { expr: string }[] };
  templating: { list: { name: string; query: string }[] };
};
/** Panels that show something. */
export const graphs = dashboard.panels.filter((panel) => panel.type !== 'row');
