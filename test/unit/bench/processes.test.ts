import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcesses, type Processes } from '../../../bench/processes.ts';

const TOOLS = {
  wrk: 'wrk',
  nginx: 'nginx',
  haproxy: 'haproxy',
  taskset: '/usr/bin/taskset',
  setpriv: '/usr/bin/setpriv',
};
const FOREVER = 'process.stdout.write("here"); setInterval(() => {}, 1000)';
const STUBBORN = `process.on("SIGTERM", () => {}); ${FOREVER}`;

let processes: Processes;

beforeEach(() => {
  processes = createProcesses(TOOLS, { GREETING: 'hello' });
});
afterEach(() => processes.stopAll());

const script = (text: string) => ({ file: process.execPath, args: ['-e', text], cores: [0] });

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilStarted(child: { output(): string }): Promise<void> {
  while (child.output() === '') await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('a command that runs to its end', () => {
  it('hands over what it wrote', async () => {
    await expect(processes.run(script('console.log(6 * 7)'), 10_000)).resolves.toBe('42\n');
  });

  it('sees the environment that was given and no other', async () => {
    const print = 'console.log(Object.keys(process.env).join())';
    await expect(processes.run(script(print), 10_000)).resolves.toBe('GREETING\n');
  });

  it('runs on the cores that were given', async () => {
    const print =
      'console.log(/Cpus_allowed_list:\\s*(\\S+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1])';
    await expect(processes.run(script(print), 10_000)).resolves.toBe('0\n');
  });

  it('says how it failed, with what it complained of', async () => {
    const failing = script('console.error("no luck"); process.exit(3)');
    await expect(processes.run(failing, 10_000)).rejects.toThrow(/ended with code 3\nno luck/);
  });

  it('is ended when it takes too long', async () => {
    await expect(processes.run(script(FOREVER), 300)).rejects.toThrow('took longer than 0.3 s');
  });
});

describe('a process that stays', () => {
  it('ends when asked to', async () => {
    const child = processes.start(script(FOREVER));
    await untilStarted(child);
    await child.stop();
    expect(await child.ended).toBe('ended with SIGTERM');
    expect(isThere(child.pid)).toBe(false);
  });

  it('is made to when it does not', async () => {
    const child = processes.start(script(STUBBORN));
    await untilStarted(child);
    await processes.stopAll();
    expect(await child.ended).toBe('ended with SIGKILL');
    expect(isThere(child.pid)).toBe(false);
  });

  it('appends its output to a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
    const log = join(folder, 'log');
    const print = script('console.log("line")');
    for (const _ of [1, 2]) await processes.start({ ...print, log }).ended;
    expect(readFileSync(log, 'utf8')).toBe('line\nline\n');
    rmSync(folder, { recursive: true });
  });
});
