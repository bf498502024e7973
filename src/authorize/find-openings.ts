import type { Route } from '../core/route.ts';
import type { Upstream } from '../core/upstream.ts';
import { parseTemplate, type TemplateSegment } from './path-template.ts';
import { indexRoutes, type RouteIndex, type RouteSet, routeForMethod } from './route-index.ts';
import { hasStricterRule } from './strictness.ts';

/** A route that strips a prefix and so reaches at the upstream what another route lets in by a stricter rule only. */
export interface Opening {
  readonly route: Route;
  readonly other: Route;
  /** A request that shows it: `route` takes it, and the upstream is asked for `sent`. */
  readonly method: string;
  readonly path: string;
  readonly sent: string;
  /** The path that `other` takes, and for which the upstream is asked for the same. */
  readonly otherPath: string;
}

/**
 * Finds each pair of routes where that is so, once. It may be meant, for a service that is open under one name, so it
 * is for warnings. Hosts do not count: an upstream may serve any under all of them.
 *
 * @returns lazily: thousands of routes may make millions of pairs
 */
export function* findOpenings(routes: readonly Route[]): Generator<Opening> {
  const stripping = routes.filter(({ stripPrefix }) => stripPrefix !== null);
  if (stripping.length === 0) return;
  const index = indexRoutes(routes);
  const rules = compareRules(routes);
  const views = new Map(routes.map((route) => [route, viewOf(route)]));
  const paths = pathsFor(routes);
  const roots = new Map<Upstream, Node>();
  for (const [route, view] of views) {
    const root = roots.get(route.upstream) ?? newNode();
    roots.set(route.upstream, root);
    insert(root, view, rules.of(route));
  }

  const told = new Map<Route, Set<Route>>();
  for (const route of stripping) {
    const others = new Set<Route>();
    told.set(route, others);
    const view = views.get(route) as View;
    const root = roots.get(route.upstream) as Node;
    const isStricterRule = (rule: number): boolean => rules.isStricter(rule, rules.of(route));
    for (const target of overlapping(root, view.segments, isStricterRule)) {
      const stricter = [...target.byRule].flatMap(([rule, found]) => (isStricterRule(rule) ? found : []));
      for (const sent of paths.matching(view.segments, target.segments)) {
        if (!takes(index, view, sent)) continue;
        for (const otherView of stricter) {
          const other = otherView.route;
          // Two with different conditions are each open to the callers of the other: that is told once.
          if (others.has(other) || told.get(other)?.has(route)) continue;
          if (!takes(index, otherView, sent)) continue;
          const method = commonMethod(index, route, other);
          if (method === null) continue;
          others.add(other);
          yield { route, other, method, path: view.request(sent), sent, otherPath: otherView.request(sent) };
        }
      }
    }
  }
}

/** A route as its upstream sees it. */
interface View {
  readonly route: Route;
  /** Its template without the prefix. */
  readonly segments: readonly TemplateSegment[];
  /** The path to ask the proxy for, so that the upstream is asked for this one. */
  request(sent: string): string;
}

function viewOf(route: Route): View {
  const { stripPrefix } = route;
  const segments = parseTemplate(route.template);
  if (stripPrefix === null) return { route, segments, request: (sent) => sent };
  const rest = segments.slice(stripPrefix.split('/').length - 1);
  return rest.length === 0
    ? { route, segments: parseTemplate('/'), request: () => stripPrefix }
    : { route, segments: rest, request: (sent) => stripPrefix + sent };
}

/** Whether what is asked for comes by this route, and no more specific one takes it. */
function takes(index: RouteIndex, { route, request }: View, sent: string): boolean {
  return index.find(route.host ?? '', request(sent)) === index.setOf(route);
}

/** A method that both take for themselves; null: none. */
function commonMethod(index: RouteIndex, route: Route, other: Route): string | null {
  const sets: readonly RouteSet[] = [index.setOf(route), index.setOf(other)];
  const named = sets.flat().flatMap(({ methods }) => [...(methods ?? [])]);
  const candidates = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', ...named];
  return (
    candidates.find((method) =>
      [route, other].every((each) => routeForMethod(index.setOf(each), method) === each),
    ) ?? null
  );
}

/** All templates as one upstream sees them, segment by segment. */
interface Node {
  readonly statics: Map<string, Node>;
  parameter: Node | null;
  /** What ends here, and what ends here with a greedy parameter. */
  leaf: Target | null;
  greedy: Target | null;
  /** The rules of all routes here and below. Where none of them is stricter, nobody has to look. */
  readonly rules: Set<number>;
}

/** The routes that one upstream sees under one template, by their rules. */
interface Target {
  readonly segments: readonly TemplateSegment[];
  readonly byRule: Map<number, View[]>;
}

function newNode(): Node {
  return { statics: new Map(), parameter: null, leaf: null, greedy: null, rules: new Set() };
}

function insert(root: Node, view: View, rule: number): void {
  let node = root;
  node.rules.add(rule);
  for (const segment of view.segments) {
    if (segment.kind === 'greedy') {
      node.greedy ??= { segments: view.segments, byRule: new Map() };
      addTo(node.greedy, view, rule);
      return;
    }
    const known = segment.kind === 'static' ? node.statics.get(segment.text) : node.parameter;
    const next = known ?? newNode();
    if (segment.kind === 'static') node.statics.set(segment.text, next);
    else node.parameter = next;
    next.rules.add(rule);
    node = next;
  }
  node.leaf ??= { segments: view.segments, byRule: new Map() };
  addTo(node.leaf, view, rule);
}

function addTo(target: Target, view: View, rule: number): void {
  const alike = target.byRule.get(rule);
  if (alike === undefined) target.byRule.set(rule, [view]);
  else alike.push(view);
}

/** What may match the same paths, as far as it has a stricter rule. */
function* overlapping(
  node: Node,
  segments: readonly TemplateSegment[],
  isStricterRule: (rule: number) => boolean,
  depth = 0,
): Generator<Target> {
  if (![...node.rules].some(isStricterRule)) return;
  const last = segments.at(-1);
  // A greedy parameter goes on for as long as there are segments.
  const segment = segments[depth] ?? (last?.kind === 'greedy' ? last : undefined);
  if (depth >= segments.length && node.leaf !== null) yield node.leaf;
  if (segment === undefined) return;
  if (node.greedy !== null) yield node.greedy;
  const fixed = segment.kind === 'static' ? node.statics.get(segment.text) : undefined;
  const statics = segment.kind === 'static' ? [fixed ?? []].flat() : node.statics.values();
  for (const next of statics) yield* overlapping(next, segments, isStricterRule, depth + 1);
  if (node.parameter !== null) yield* overlapping(node.parameter, segments, isStricterRule, depth + 1);
}

interface Paths {
  /** Paths that two templates both match; when all of these meet more specific routes, so do all others. */
  matching(a: readonly TemplateSegment[], b: readonly TemplateSegment[]): Generator<string>;
}

function pathsFor(routes: readonly Route[]): Paths {
  const templates = routes.map(({ template }) => parseTemplate(template));
  const used = new Set(templates.flat().map((segment) => (segment.kind === 'static' ? segment.text : '')));
  // What no template has as static text meets the fewest routes that are more specific.
  let free = 'x';
  for (let i = 1; used.has(free); i += 1) free = `x${i}`;
  // Where both are greedy, each number of segments may meet other routes, up to one more than any template has.
  const most = templates.reduce((length, template) => Math.max(length, template.length), 0) + 1;
  return {
    *matching(a, b) {
      const least = Math.max(a.length, b.length);
      const end = a.at(-1)?.kind === 'greedy' && b.at(-1)?.kind === 'greedy' ? most : least;
      for (let length = least; length <= end; length += 1) {
        const parts = Array.from({ length }, (_, i) => textOf(a[i]) ?? textOf(b[i]) ?? free);
        yield `/${parts.join('/')}`;
      }
    },
  };
}

function textOf(segment: TemplateSegment | undefined): string | null {
  return segment?.kind === 'static' ? segment.text : null;
}

interface Rules {
  /** A number that routes have in common which are judged alike. */
  of(route: Route): number;
  isStricter(other: number, rule: number): boolean;
}

/** Compares rules once for all routes that have them, since thousands share a few. */
function compareRules(routes: readonly Route[]): Rules {
  const numbers = new Map<string, number>();
  const examples: Route[] = [];
  const byRoute = new Map<Route, number>();
  for (const route of routes) {
    const text = `${route.enforce} ${JSON.stringify(route.rule)}`;
    const number = numbers.get(text) ?? examples.push(route) - 1;
    numbers.set(text, number);
    byRoute.set(route, number);
  }
  const compared: boolean[][] = examples.map(() => []);
  return {
    of: (route) => byRoute.get(route) as number,
    isStricter(other, rule) {
      const row = compared[other] as boolean[];
      row[rule] ??= hasStricterRule(examples[other] as Route, examples[rule] as Route);
      return row[rule] as boolean;
    },
  };
}
