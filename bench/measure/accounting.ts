import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel has booked on a process and all that it started. */
export interface Account {
  /** CPU time in user and kernel mode, in microseconds. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
  /** The most resident memory there ever was, in bytes; of several processes, the sum of each one's most. */
  readonly peakMemory: number;
}

/** Microseconds in a clock tick of /proc: USER_HZ is 100 wherever Linux runs (proc_pid_stat(5)). */
const TICK = 10_000;

/** One line of /proc/<pid>/stat, as far as it is of use here. */
export interface ProcessStat {
  readonly parent: number;
  /** Clock ticks in user and kernel mode. */
  readonly ticks: number;
  /** The same of children that have ended and been waited for. */
  readonly childTicks: number;
}

/** Reads a line of /proc/<pid>/stat. The name in parentheses may contain anything, so what follows it is counted. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), ticks: field(14) + field(15), childTicks: field(16) + field(17) };
}

/** Reads `VmRSS` or `VmHWM` off the text of /proc/<pid>/status, in bytes. */
export function parseMemory(status: string, name: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** Adds up the account of a process and of its descendants. */
export function readAccount(pid: number): Account {
  let ticks = 0;
  let memory = 0;
  let peakMemory = 0;
  for (const member of familyOf(pid)) {
    const status = readProc(member, 'status');
    const stat = readProc(member, 'stat');
    // Gone since it was listed.
    if (status === null || stat === null) continue;
    const parsed = parseStat(stat);
    ticks += parsed.ticks + parsed.childTicks;
    memory += parseMemory(status, 'VmRSS');
    peakMemory += parseMemory(status, 'VmHWM');
  }
  return { cpu: ticks * TICK, memory, peakMemory };
}

/**
 * Reads how long cores have been at work for anybody, in microseconds, off the text of /proc/stat (proc_stat(5)). Time that
 * the hypervisor gave to others counts too: it was not there to be had.
 */
export function parseBusyTime(stat: string, cores: readonly number[]): number {
  let ticks = 0;
  for (const core of cores) {
    const fields = new RegExp(`^cpu${core} (.+)$`, 'm').exec(stat)?.[1]?.split(' ').map(Number) ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
    ticks += user + nice + system + irq + softirq + steal;
  }
  return ticks * TICK;
}

function familyOf(pid: number): ReadonlySet<number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(Number(name), 'stat');
    if (stat !== null) parents.set(Number(name), parseStat(stat).parent);
  }
  const family = new Set([pid]);
  let size = 0;
  while (size !== family.size) {
    size = family.size;
    for (const [child, parent] of parents) if (family.has(parent)) family.add(child);
  }
  return family;
}

function readProc(pid: number, file: 'stat' | 'status'): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
