import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BuildStage, execForm, pairsOf, parseDockerfile, textsOf } from './dockerfile.ts';

/** What a container engine would know of the image. */
export interface Image {
  /** The folder that stands for the root of its file system. */
  readonly root: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly from: string;
  readonly ports: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/**
 * Does without a container engine what a Dockerfile says: its COPY and RUN steps, stage by stage, in folders that stand
 * for the roots of the images. What a base image brings is not there, except Node itself. As BuildKit does, it passes
 * over stages that the last one takes nothing from.
 */
export async function buildImage(context: string, scratch: string): Promise<Image> {
  const stages = withoutUnneeded(parseDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8')));
  const admitted = await readIgnoreFile(context);
  const roots = new Map<string, string>();
  for (const [index, stage] of stages.entries()) {
    const root = join(scratch, stage.name ?? `stage-${index}`);
    roots.set(stage.name ?? String(index), root);
    await mkdir(root);
    await buildStage(stage, { root, context, admitted, roots });
  }
  const last = stages.at(-1);
  const root = [...roots.values()].at(-1);
  if (last === undefined || root === undefined) throw new Error('the Dockerfile has no stage');

  const node = join(root, 'nodejs/bin/node');
  await mkdir(dirname(node), { recursive: true });
  await copyFile(process.execPath, node);
  const [healthcheck = ''] = textsOf(last, 'HEALTHCHECK');
  return {
    root,
    workingFolder: join(root, textsOf(last, 'WORKDIR').at(-1) ?? '/'),
    environment: pairsOf(textsOf(last, 'ENV')),
    labels: pairsOf(textsOf(last, 'LABEL')),
    from: last.from,
    ports: textsOf(last, 'EXPOSE').flatMap((text) => text.split(' ')),
    entrypoint: execForm(textsOf(last, 'ENTRYPOINT').at(-1) ?? ''),
    command: execForm(textsOf(last, 'CMD').at(-1) ?? ''),
    healthcheck: execForm(healthcheck.replace(/^.*?CMD /, '')),
  };
}

/** The last stage and those that a later one copies from. */
function withoutUnneeded(stages: readonly BuildStage[]): BuildStage[] {
  return stages.filter((stage, index) => {
    const later = stages.slice(index + 1);
    const copies = later.flatMap((each) => textsOf(each, 'COPY'));
    return later.length === 0 || copies.some((text) => text.startsWith(`--from=${stage.name} `));
  });
}

interface StageFolders {
  readonly root: string;
  readonly context: string;
  /** Top-level names that the engine would be sent. */
  readonly admitted: ReadonlySet<string>;
  readonly roots: ReadonlyMap<string, string>;
}

async function buildStage(stage: BuildStage, folders: StageFolders): Promise<void> {
  let workingFolder = '/';
  for (const { keyword, text } of stage.instructions) {
    if (keyword === 'WORKDIR') {
      workingFolder = resolve(workingFolder, text);
      await mkdir(join(folders.root, workingFolder), { recursive: true });
    } else if (keyword === 'COPY') await copy(text, workingFolder, folders);
    else if (keyword === 'RUN') await run(text, join(folders.root, workingFolder));
  }
}

async function copy(text: string, workingFolder: string, folders: StageFolders): Promise<void> {
  const [, stage] = /^--from=(\S+)\s/.exec(text) ?? [];
  const names = text.replace(/^--from=\S+\s+/, '').split(/\s+/);
  const target = names.pop() ?? '';
  const from = stage === undefined ? folders.context : folders.roots.get(stage);
  if (from === undefined) throw new Error(`COPY from a stage that is not there: ${text}`);
  for (const name of names) {
    if (stage === undefined && !folders.admitted.has(name)) {
      throw new Error(`.dockerignore keeps back what is copied: ${name}`);
    }
    const into = /\/$/.test(target) ? join(target, name.replace(/^.*\//, '')) : target;
    await cp(join(from, name), join(folders.root, resolve(workingFolder, into)), { recursive: true });
  }
}

async function run(command: string, folder: string): Promise<void> {
  // As in the base image, `node` is the Node this runs on; npm is the machine's.
  const environment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  const child = spawn('sh', ['-c', command], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
}

/** The one shape of .dockerignore that is read: nothing, except top-level names. */
async function readIgnoreFile(context: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).trim().split('\n');
  if (lines[0] !== '*' || !lines.slice(1).every((line) => /^![\w.-]+$/.test(line))) {
    throw new Error('.dockerignore is expected to keep back everything except top-level names');
  }
  return new Set(lines.slice(1).map((line) => line.slice(1)));
}

/** Takes away everybody's right to write below a folder, or gives the owner theirs back. */
export async function setWritable(folder: string, writable: boolean): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  for (const entry of folders) await chmod(join(entry.parentPath, entry.name), writable ? 0o755 : 0o555);
  await chmod(folder, writable ? 0o755 : 0o555);
}
