/** A CPU profile as V8 writes it (`node --cpu-prof`), as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  /** The node that each sample found at work. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before, or since the start. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** Where time went. */
export interface TimeShare {
  readonly what: string;
  /** Of the time in which anything was at work. */
  readonly share: number;
}

export interface ProfileSummary {
  /** By function: the time in the function itself, without what it called. */
  readonly functions: readonly TimeShare[];
  /**
   * By room of ours or package: what it did itself and what Node and the system did for it, but for what other rooms and
   * packages did. Time in which none of them was at work, such as reading requests, is Node's.
   */
  readonly sources: readonly TimeShare[];
}

interface Window {
  /** Microseconds of the monotonic clock. */
  readonly from: number;
  readonly to: number;
}

/** Adds up where time went between two moments. Waiting is left out. */
export function summarizeProfile(profile: CpuProfile, window: Window): ProfileSummary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);

  const functions = new Map<string, number>();
  const sources = new Map<string, number>();
  let total = 0;
  let now = profile.startTime;
  profile.samples.forEach((id, i) => {
    const time = profile.timeDeltas[i] ?? 0;
    now += time;
    const frame = nodes.get(id)?.callFrame;
    if (frame === undefined || now < window.from || now > window.to) return;
    if (frame.functionName === '(idle)' || frame.functionName === '(root)') return;
    total += time;
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
    add(functions, frame.url === '' ? name : `${name} ${placeOf(frame.url)}:${frame.lineNumber + 1}`, time);
    let at: number | undefined = id;
    let source: string | null = null;
    while (at !== undefined && source === null) {
      source = sourceOf(nodes.get(at)?.callFrame.url ?? '');
      at = parents.get(at);
    }
    add(sources, source ?? (frame.url === '' ? frame.functionName : 'Node'), time);
  });

  const ranked = (times: ReadonlyMap<string, number>): TimeShare[] =>
    [...times].map(([what, time]) => ({ what, share: time / total })).sort((a, b) => b.share - a.share);
  return { functions: ranked(functions), sources: ranked(sources) };
}

function add(times: Map<string, number>, key: string, time: number): void {
  times.set(key, (times.get(key) ?? 0) + time);
}

/** The end of a path that tells files apart, wherever the repository and its packages lie. */
function placeOf(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/dist\//, 'dist/');
}

/** The room of ours or the package that a file belongs to; null for Node's own. */
function sourceOf(url: string): string | null {
  const place = placeOf(url);
  if (place.startsWith('dist/')) return place.split('/').slice(0, 2).join('/');
  if (!url.includes('/node_modules/')) return null;
  return place.split('/', place.startsWith('@') ? 2 : 1).join('/');
}
