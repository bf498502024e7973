/** One line, or one group of lines, of a panel. */
interface Query {
  /** PromQL. */
  readonly expr: string;
  /** What the line is called; `{{label}}` stands for a label's value. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it says, and what to do about it: shown behind the panel's (i). */
  readonly description: string;
  /** `stat`: one number, now. */
  readonly kind: 'stat' | 'lines' | 'areas';
  /** A unit of Grafana's. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** From where on it is orange or red; or, of what is good when it is high, green. */
  readonly limits?: { readonly orange?: number; readonly red?: number } | { readonly green: number };
  /** Words for numbers. */
  readonly words?: Readonly<Record<number, string>>;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The instances chosen at the top of the dashboard; all queries are about these. */
export const CHOSEN = 'job=~"$job", instance=~"$instance"';

export const chosen = (metric: string, matchers = ''): string =>
  `cognito_auth_proxy_${metric}{${CHOSEN}${matchers === '' ? '' : `, ${matchers}`}}`;
export const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
export const share = (part: string, whole: string): string => `sum(${rate(part)}) / sum(${rate(whole)})`;
export const quantile = (q: number, buckets: string, by: string): string =>
  `histogram_quantile(${q}, sum by (${by}) (${rate(buckets)}))`;
export const mean = (histogram: (part: string) => string): string =>
  `sum(${rate(histogram('sum'))}) / sum(${rate(histogram('count'))})`;

export const ours = (part: string): string => `http_server_request_duration_seconds_${part}{${CHOSEN}}`;
export const upstreams = (part: string): string => chosen(`upstream_duration_seconds_${part}`);
