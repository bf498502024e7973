import type { PathParameters, Route } from '../core/route.ts';
import { parseTemplate, type TemplateSegment } from './path-template.ts';

/** All routes of one path template, in their order: which one it is, is settled by the method. */
export type RouteSet = readonly Route[];

/** What is not there is null rather than empty: with thousands of routes, what a request touches must fit the processor's caches. */
interface Node {
  statics: Map<string, Node> | null;
  parameter: Node | null;
  /** Routes that end here, and routes that end here with a greedy parameter. */
  leaf: Route[] | null;
  greedy: Route[] | null;
  /** All that follows where there is one template only, whose routes are the leaf then. */
  tail: Tail | null;
}

/** The end of a template. Those that are alike are one: most routes of a service end as those of the others do. */
interface Tail {
  /** Static text, or null for a parameter. */
  readonly segments: readonly (string | null)[];
  readonly greedy: boolean;
}

export interface RouteIndex {
  /** The set of routes whose template a path matches; undefined when none does. */
  find(host: string, path: string): RouteSet | undefined;
  /** The set that an indexed route belongs to. */
  setOf(route: Route): RouteSet;
}

/**
 * Builds the index. The exact host's templates are tried before those for any host; within a host, segment by segment,
 * static text before a parameter before a greedy parameter. One map look-up a segment, however many routes there are.
 *
 * @param read how a template is read; a folded index reads it folded
 */
export function indexRoutes(routes: readonly Route[], read = parseTemplate): RouteIndex {
  const hosts = new Map<string, Node>();
  const anyHost = newNode();
  const sets = new Map<Route, RouteSet>();
  for (const route of routes) {
    let root = anyHost;
    if (route.host !== null) {
      root = hosts.get(route.host) ?? newNode();
      hosts.set(route.host, root);
    }
    const leaf = leafFor(root, read(route.template));
    leaf.push(route);
    sets.set(route, leaf);
  }
  const tails = new Map<string, Tail>();
  for (const root of [anyHost, ...hosts.values()]) shorten(root, tails);
  return {
    setOf: (route) => sets.get(route) as RouteSet,
    find(host, path) {
      const root = hosts.size === 0 ? undefined : hosts.get(host);
      return (root && findLeaf(root, path, 1)) ?? findLeaf(anyHost, path, 1);
    },
  };
}

/** The route for a method among those of one template. HEAD follows GET (RFC 9110 section 9.3.2). */
export function routeForMethod(set: RouteSet, method: string): Route | null {
  return (
    routeThatLists(set, method) ??
    (method === 'HEAD' ? routeThatLists(set, 'GET') : null) ??
    set.find(({ methods }) => methods === null) ??
    null
  );
}

/** Whether one of these routes names the method, rather than taking any. */
export function listsMethod(set: RouteSet, method: string): boolean {
  return routeThatLists(set, method) !== null;
}

function routeThatLists(set: RouteSet, method: string): Route | null {
  for (const route of set) if (route.methods?.has(method)) return route;
  return null;
}

/** The methods that the routes of one template allow, for the Allow header. */
export function allowedMethods(set: RouteSet): string[] {
  const methods = new Set(set.flatMap((route) => [...(route.methods ?? [])]));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** Reads the path parameters off a path that its route's template has matched. */
export type ParameterReader = (path: string) => PathParameters;

/**
 * Compiles a template into the reader of its parameters, percent-decoded as UTF-8. A greedy parameter keeps the slashes
 * between its segments.
 */
export function createParameterReader(template: string): ParameterReader {
  const parts = parseTemplate(template);
  return (path) => {
    const parameters: Record<string, string> = Object.create(null);
    const segments = path.slice(1).split('/');
    parts.forEach((part, i) => {
      if (part.kind === 'parameter') parameters[part.name] = decode(segments[i] ?? '');
      if (part.kind === 'greedy') parameters[part.name] = decode(segments.slice(i).join('/'));
    });
    return parameters;
  };
}

/** As {@link createParameterReader}, for one path. */
export function readParameters(route: Route, path: string): PathParameters {
  return createParameterReader(route.template)(path);
}

function decode(text: string): string {
  // Canonical paths hold valid UTF-8 in valid triplets only.
  return text.includes('%') ? decodeURIComponent(text) : text;
}

function newNode(): Node {
  return { statics: null, parameter: null, leaf: null, greedy: null, tail: null };
}

/** Goes down the branch of a template, making what is missing of it. */
function leafFor(root: Node, segments: readonly TemplateSegment[]): Route[] {
  let node = root;
  for (const segment of segments) {
    if (segment.kind === 'greedy') {
      node.greedy ??= [];
      return node.greedy;
    }
    let next: Node;
    if (segment.kind === 'parameter') {
      next = node.parameter ?? newNode();
      node.parameter = next;
    } else {
      node.statics ??= new Map();
      next = node.statics.get(segment.text) ?? newNode();
      node.statics.set(segment.text, next);
    }
    node = next;
  }
  node.leaf ??= [];
  return node.leaf;
}

/** Puts a tail in the place of every branch that does not fork. */
function shorten(node: Node, tails: Map<string, Tail>): void {
  const { statics, parameter, leaf, greedy } = node;
  const children = [
    ...(statics?.entries() ?? []),
    ...(parameter === null ? [] : [[null, parameter] as const]),
  ];
  for (const [, child] of children) shorten(child, tails);
  const [first] = children;
  if (children.length + Number(leaf !== null) + Number(greedy !== null) !== 1) return;
  if (first === undefined) {
    node.tail = share({ segments: [], greedy: greedy !== null }, tails);
    node.leaf = leaf ?? greedy;
    node.greedy = null;
    return;
  }
  const [text, child] = first;
  if (child.tail === null) return;
  node.tail = share({ ...child.tail, segments: [text, ...child.tail.segments] }, tails);
  node.leaf = child.leaf;
  node.statics = null;
  node.parameter = null;
}

function share(tail: Tail, tails: Map<string, Tail>): Tail {
  const key = JSON.stringify(tail);
  const known = tails.get(key) ?? tail;
  tails.set(key, known);
  return known;
}

/** @param from where the next segment starts; one past the end when none is left */
function findLeaf(node: Node, path: string, from: number): RouteSet | undefined {
  if (node.tail !== null) return endsAs(path, from, node.tail) ? (node.leaf ?? undefined) : undefined;
  if (from > path.length) return node.leaf ?? undefined;
  const end = endOfSegment(path, from);
  const fixed = node.statics?.get(path.slice(from, end));
  if (fixed !== undefined) {
    const found = findLeaf(fixed, path, end + 1);
    if (found !== undefined) return found;
  }
  if (node.parameter !== null && end > from) {
    const found = findLeaf(node.parameter, path, end + 1);
    if (found !== undefined) return found;
  }
  return node.greedy !== null && path.length > from ? node.greedy : undefined;
}

function endsAs(path: string, from: number, { segments, greedy }: Tail): boolean {
  let at = from;
  for (const text of segments) {
    const end = endOfSegment(path, at);
    const matches = text === null ? end > at : end - at === text.length && path.startsWith(text, at);
    if (!matches) return false;
    at = end + 1;
  }
  return greedy ? path.length > at : at > path.length;
}

function endOfSegment(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash < 0 ? path.length : slash;
}
