import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type Image, setWritable } from '../support/image.ts';
import { type Program, runProgram } from '../support/program.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { accessClaims, keySet, makeKey, signToken } from '../support/token-factory.ts';

const CONTEXT = fileURLToPath(new URL('../../', import.meta.url));
/** The user `nonroot` of the distroless images. */
const NONROOT = 65_532;

let scratch: string;
let image: Image;
const running: Program[] = [];

/** Runs a command of the image as an engine does with `--read-only`: its environment and nothing else, without rights. */
function runInImage(command: readonly string[], environment: Record<string, string> = {}): Program {
  const [program = '', ...args] = command.map((word) =>
    word.replace(/^\/(?=nodejs\/|app\/)/, `${image.root}/`),
  );
  const rights = process.getuid?.() === 0 ? { uid: NONROOT, gid: NONROOT } : {};
  const env = { ...image.environment, TMPDIR: join(image.root, 'tmp'), ...environment };
  const started = runProgram(program, args, { cwd: image.workingFolder, env, ...rights });
  running.push(started);
  return started;
}

/** Asks again until the answer is yes, as an engine does; the time limit of the test is that of the patience. */
async function untilHealthy(proxy: Program, environment: Record<string, string>): Promise<void> {
  let ended = false;
  void proxy.exited.then(() => {
    ended = true;
  });
  while ((await runInImage(image.healthcheck, environment).exited).code !== 0) {
    if (ended) throw new Error(`the proxy has ended: ${proxy.complaints}`);
  }
}

/** A configuration as it would be mounted, with a key set on disk so that nothing is fetched. */
async function mountConfig(upstream: string) {
  const key = makeKey();
  const userPoolId = 'us-east-1_AbCdEf123';
  const subject = {
    issuer: `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`,
    clientId: 'client1',
  };
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = {
    server: { listen: `127.0.0.1:${port}`, shutdown: { unready: '50ms', drain: '5s' } },
    userPools: {
      main: { userPoolId, clientIds: [subject.clientId], keys: { file: join(scratch, 'jwks.json') } },
    },
    upstreams: { main: { url: upstream } },
    routes: [{ id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'main' }],
  };
  await writeFile(join(scratch, 'jwks.json'), JSON.stringify(keySet(key)));
  await writeFile(join(scratch, 'config.yaml'), JSON.stringify(config));
  return {
    origin: `http://127.0.0.1:${port}`,
    token: signToken(key, accessClaims(subject)),
    environment: {
      COGNITO_AUTH_PROXY_CONFIG: join(scratch, 'config.yaml'),
      ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    },
  };
}

/** The health check, a process of its own, must know the port: it cannot be left to the system. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'image-test-'));
  await chmod(scratch, 0o755);
  image = await buildImage(CONTEXT, scratch);
  await mkdir(join(image.root, 'tmp'));
  await setWritable(image.root, false);
}, 180_000);
afterAll(async () => {
  for (const program of running) program.signal('SIGKILL');
  if (image !== undefined) await setWritable(image.root, true);
  await rm(scratch, { recursive: true, force: true });
});

describe('the Dockerfile', () => {
  it('ends in an image without shell or root', () => {
    expect(image.from).toBe('gcr.io/distroless/nodejs24-debian13:nonroot');
  });

  it('says on which ports it listens, and who it is', () => {
    expect(image.environment).toEqual({
      NODE_ENV: 'production',
      NODE_OPTIONS: '--max-semi-space-size=16',
      DEFAULT_ADMIN_LISTEN: '0.0.0.0:9090',
    });
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
    expect((await readdir(image.workingFolder)).sort()).toEqual([
      'dist',
      'node_modules',
      'package.json',
      'sbom.cdx.json',
    ]);
    const installed = (await readdir(join(image.workingFolder, 'node_modules'), { recursive: true })).filter(
      (path) => path.endsWith('package.json'),
    );
    const has = (name: string): boolean => installed.includes(join(name, 'package.json'));
    expect(Object.keys(manifest.dependencies).filter((name) => !has(name))).toEqual([]);
    expect(Object.keys(manifest.devDependencies).filter(has)).toEqual([]);
  });

  it('have a bill of materials that names each of these dependencies by version and hash', async () => {
    const bill = JSON.parse(await readFile(join(image.workingFolder, 'sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      components: { purl: string; hashes: unknown[] }[];
    };
    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.components.filter(({ hashes }) => hashes.length === 0)).toEqual([]);
    const listed = bill.components.map(({ purl }) => decodeURIComponent(purl).replace(/^pkg:npm\//, ''));
    const { packages } = JSON.parse(
      await readFile(join(image.workingFolder, 'node_modules/.package-lock.json'), 'utf8'),
    ) as { packages: Record<string, { version: string }> };
    const installed = Object.entries(packages).map(
      ([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`,
    );
    expect([...new Set(listed)].sort()).toEqual([...new Set(installed)].sort());
  });
});

describe('its process', () => {
  it('serves read-only and without rights, is found healthy, and ends on SIGTERM', async () => {
    const upstream = await startRecordingUpstream();
    const { origin, environment, token } = await mountConfig(upstream.origin);
    const proxy = runInImage([...image.entrypoint, ...image.command], environment);
    await untilHealthy(proxy, environment);

    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${origin}/posts`, { headers })).status).toBe(200);
    expect((await fetch(`${origin}/posts`)).status).toBe(401);
    expect(upstream.requests).toHaveLength(1);
    for (const file of ['status.css', 'status-phone.css', 'status.js']) {
      const shipped = await fetch(`http://${environment.ADMIN_LISTEN}/${file}`);
      expect(await shipped.text()).toBe(await readFile(join(CONTEXT, 'src/observe/page', file), 'utf8'));
    }

    proxy.signal('SIGTERM');
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
    expect((await runInImage(image.healthcheck, environment).exited).code).toBe(1);
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
