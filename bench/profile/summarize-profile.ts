import { type CallFrame, describeFrame, Ledger, type Share, sourceOf } from './frames.ts';

/** A CPU profile as V8 writes it (`node --cpu-prof`), as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  /** The node that each sample found at work. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before, or since the start. */
  readonly timeDeltas: readonly number[];
}

/** What a sampling heap profile tells of allocations. */
export interface AllocationProfile {
  readonly head: AllocationNode;
}

interface AllocationNode {
  readonly callFrame: CallFrame;
  /** Bytes allocated by the function itself. */
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

/**
 * Shares by function, and by room of ours or package. The latter have on their account what Node and the system did for
 * them, but not what they had other rooms and packages do; what nobody asked for, such as reading requests, is Node's.
 */
export interface Summary {
  readonly functions: readonly Share[];
  readonly sources: readonly Share[];
  /** Microseconds, or bytes. */
  readonly total: number;
}

/**
 * Adds up where time went between two moments. Waiting is left out.
 * @param window microseconds of the monotonic clock
 */
export function summarizeProfile(
  profile: CpuProfile,
  window: { readonly from: number; readonly to: number },
): Summary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);

  const functions = new Ledger();
  const sources = new Ledger();
  let now = profile.startTime;
  profile.samples.forEach((id, i) => {
    const time = profile.timeDeltas[i] ?? 0;
    now += time;
    const frame = nodes.get(id)?.callFrame;
    if (frame === undefined || now < window.from || now > window.to) return;
    if (frame.functionName === '(idle)' || frame.functionName === '(root)') return;
    functions.add(describeFrame(frame), time);
    let source: string | null = null;
    for (let at: number | undefined = id; at !== undefined && source === null; at = parents.get(at)) {
      const caller = nodes.get(at);
      source = caller === undefined ? null : sourceOf(caller.callFrame);
    }
    sources.add(source ?? ownNameOf(frame), time);
  });
  return { functions: functions.shares(), sources: sources.shares(), total: functions.total };
}

/** Adds up who allocated what. */
export function summarizeAllocations(profile: AllocationProfile): Summary {
  const functions = new Ledger();
  const sources = new Ledger();
  const visit = (node: AllocationNode, caller: string | null): void => {
    const source = sourceOf(node.callFrame) ?? caller;
    if (node.selfSize > 0) {
      functions.add(describeFrame(node.callFrame), node.selfSize);
      sources.add(source ?? ownNameOf(node.callFrame), node.selfSize);
    }
    for (const child of node.children) visit(child, source);
  };
  visit(profile.head, null);
  return { functions: functions.shares(), sources: sources.shares(), total: functions.total };
}

/** V8's own doings, such as collecting garbage, by their names; all else is Node's. */
function ownNameOf({ functionName, url }: CallFrame): string {
  return url === '' && functionName.startsWith('(') ? functionName : 'Node';
}
