import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type Image, setWritable } from '../support/image.ts';
import { type Program, runProgram } from '../support/program.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { accessClaims, keySet, makeKey, signToken } from '../support/token-factory.ts';

const CONTEXT = fileURLToPath(new URL('../../', import.meta.url));
/** The user `nonroot` of the distroless images. */
const NONROOT = 65_532;

let scratch: string;
let image: Image;

/** Runs a command of the image as an engine does with `--read-only`: its environment and nothing else, without rights. */
function runInImage(command: readonly string[], environment: Record<string, string> = {}): Program {
  const [program = '', ...args] = command.map((word) =>
    word.replace(/^\/(?=nodejs\/|app\/)/, `${image.root}/`),
  );
  const rights = process.getuid?.() === 0 ? { uid: NONROOT, gid: NONROOT } : {};
  const env = { ...image.environment, TMPDIR: join(image.root, 'tmp'), ...environment };
  return runProgram(program, args, { cwd: image.workingFolder, env, ...rights });
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'image-test-'));
  await chmod(scratch, 0o755);
  image = await buildImage(CONTEXT, scratch);
  await mkdir(join(image.root, 'tmp'));
  await setWritable(image.root, false);
}, 180_000);
afterAll(async () => {
  if (image !== undefined) await setWritable(image.root, true);
  await rm(scratch, { recursive: true, force: true });
});

describe('the Dockerfile', () => {
  it('ends in an image without shell or root', () => {
    expect(image.from).toBe('gcr.io/distroless/nodejs24-debian13:nonroot');
  });

  it('says on which ports it listens, and who it is', () => {
    expect(image.environment).toEqual({ NODE_ENV: 'production', ADMIN_LISTEN: '0.0.0.0:9090' });
    expect(image.ports).toEqual(['8080', '9090']);
    expect(image.labels).toMatchObject({
      'org.opencontainers.image.title': 'cognito-auth-proxy',
      'org.opencontainers.image.licenses': 'MIT',
    });
  });

  it('starts Node itself, so that signals reach it', () => {
    expect(image.entrypoint).toEqual(['/nodejs/bin/node', '/app/dist/bin.js']);
    expect(image.command).toEqual(['serve']);
    expect(image.healthcheck).toEqual([...image.entrypoint, 'healthcheck']);
  });
});

describe('its files', () => {
  it('are the compiled program and its production dependencies, nothing else', async () => {
    const manifest = JSON.parse(await readFile(join(CONTEXT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    expect((await readdir(image.workingFolder)).sort()).toEqual(['dist', 'node_modules', 'package.json']);
    const installed = (await readdir(join(image.workingFolder, 'node_modules'), { recursive: true })).filter(
      (path) => path.endsWith('package.json'),
    );
    const has = (name: string): boolean => installed.includes(join(name, 'package.json'));
    expect(Object.keys(manifest.dependencies).filter((name) => !has(name))).toEqual([]);
    expect(Object.keys(manifest.devDependencies).filter(has)).toEqual([]);
  });
});

describe('its process', () => {
  it('serves read-only and without rights, is found healthy, and ends on SIGTERM', async () => {
    const upstream: RecordingUpstream = await startRecordingUpstream();
    const { url, token, config, admin } = await prepareConfig(upstream.origin);
    const proxy = runInImage([...image.entrypoint, ...image.command], config);
    await readyAt(admin, proxy);

    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${url}/posts`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/posts`)).status).toBe(401);
    expect(upstream.requests).toHaveLength(1);
    expect((await runInImage(image.healthcheck, config).exited).code).toBe(0);

    proxy.signal('SIGTERM');
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
    expect((await runInImage(image.healthcheck, config).exited).code).toBe(1);
    await upstream.stop();
  });

  it('says what `dev` needs instead of failing on an import', async () => {
    const program = runInImage([...image.entrypoint, 'dev']);
    expect((await program.exited).code).toBe(1);
    expect(program.complaints).toBe(
      'dev needs a checkout with its development dependencies: cognito-local is not installed, run npm ci there\n',
    );
  });
});
