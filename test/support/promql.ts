/** One series selector of a PromQL expression. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/**
 * Every selector of an expression that promtool has found well-formed: what is left of it when strings' contents,
 * functions, keywords, numbers and lists of labels are taken away.
 */
export function selectorsIn(expr: string): Selector[] {
  const labelLists = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
  const names = /([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g;
  const found: Selector[] = [];
  const durationsGone = expr.replace(/\[[^\]]*\]|\boffset\s+\w+/g, ' ').replace(labelLists, ' ');
  for (const [, name = '', rest = ''] of durationsGone.matchAll(names)) {
    if (rest === '(' || KEYWORDS.has(name)) continue;
    const matchers = rest.matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"/g);
    found.push({
      metric: name,
      matchers: [...matchers].map(([, label = '', operator = '=', value = '']) => ({
        label,
        operator: operator as Matcher['operator'],
        value,
      })),
    });
  }
  return found;
}

const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'e', 'x']);

/** The labels that an expression groups by. */
export function groupingLabelsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:by|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  );
}

/** An exposition in Prometheus' text format: the labels that each series name has been seen with. */
export function labelsBySeries(exposition: string): ReadonlyMap<string, ReadonlySet<string>> {
  const series = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(\{.*\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const known = series.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    series.set(name, known);
  }
  return series;
}
