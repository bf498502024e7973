import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { findSource } from '../../src/config/find-source.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Config } from '../../src/config/schema/config.ts';
import type { DevSummary } from '../../src/dev/dev-stack.ts';
import { runCommandLine } from '../support/command-line.ts';
import { itWith, runTool } from '../support/debian-tools.ts';
import { type BuildStage, execForm, pairsOf, parseDockerfile, textsOf } from '../support/dockerfile.ts';
import { type Program, runProgram } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const itWithCompose = itWith('docker-compose');

const stages = parseDockerfile(read('Dockerfile'));
const image = present(stages.at(-1), 'a last stage');
const devImage = present(
  stages.find(({ name }) => name === 'dev'),
  'a stage called dev',
);
const portsOf = (stage: BuildStage): number[] =>
  textsOf(stage, 'EXPOSE').flatMap((text) => text.split(' ').map(Number));
const healthcheckOf = (stage: BuildStage): string[] =>
  execForm(textsOf(stage, 'HEALTHCHECK')[0]?.replace(/^.*?CMD /, '') ?? '');

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the Dockerfile has not ${what}`);
  return value;
}

/** As much of the Compose specification as deploy/ uses, strictly: what is misspelt is found. */
const composeFile = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      build: z.union([z.string(), z.strictObject({ context: z.string(), target: z.string() })]).optional(),
      image: z
        .string()
        .regex(/^[a-z/]+:v?\d/, 'expected an image with its version')
        .optional(),
      init: z.boolean().optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string().regex(/^\.\/[\w/-]+:\/[\w/-]+:ro$/)).optional(),
      ports: z.array(z.string().regex(/^(127\.0\.0\.1:)?\d+:\d+$/)).optional(),
      networks: z.array(z.string()).optional(),
      read_only: z.boolean().optional(),
      cap_drop: z.array(z.string()).optional(),
      security_opt: z.array(z.string()).optional(),
      stop_grace_period: z
        .string()
        .regex(/^\d+s$/)
        .optional(),
    }),
  ),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() }).nullable()).optional(),
});

const readCompose = (folder: string) => composeFile.parse(parse(read(join(folder, 'docker-compose.yaml'))));

const withImage = (environment: Readonly<Record<string, string>>): Record<string, string> => ({
  ...pairsOf(textsOf(image, 'ENV')),
  ...environment,
});

/** Runs the command with an environment, and on the file in the folder that is mounted, if any. */
async function expectPassesCheck(
  environment: Readonly<Record<string, string>>,
  mounted: string | null,
): Promise<void> {
  const args = mounted === null ? [] : ['--config', join(mounted, 'config.yaml')];
  const ran = await runCommandLine(['check', ...args], { environment: withImage(environment) });
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain(' is fine');
}

/** What the proxy makes of an environment and of the folder that is mounted for it, if any. */
function configOf(environment: Readonly<Record<string, string>>, mounted: string | null): Config {
  const env = withImage(environment);
  const looksFor = findSource(undefined, env, '/', () => mounted !== null);
  const source =
    looksFor?.kind === 'file' ? { ...looksFor, path: join(mounted ?? '', 'config.yaml') } : looksFor;
  if (source === null) throw new Error('there is no configuration');
  const loaded = loadConfig(source, { environment: env });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

function secondsToStop(config: Config): number {
  const { unready, drain } = config.server.shutdown;
  return (unready + drain) / 1000;
}

const EXAMPLES = [
  'deploy/docker/one-service',
  'deploy/docker/several-services',
  'deploy/docker/signing',
] as const;
const SAMPLE = { USER_POOL_ID: 'us-east-1_AbCdEf123', CLIENT_IDS: '1example23456789' };

/** Stands in for what Compose does with `${NAME:?message}`. */
const substitute = (text: string): string =>
  text.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => SAMPLE[name as keyof typeof SAMPLE]);

describe.each(EXAMPLES)('%s', (folder) => {
  const { services, networks = {} } = readCompose(folder);
  const proxy = present(services['proxy'], 'a proxy');
  const others = Object.entries(services).filter(([name]) => name !== 'proxy');
  const mount = proxy.volumes?.[0]?.split(':');
  const environment = Object.fromEntries(
    Object.entries(proxy.environment ?? {}).map(([name, value]) => [name, substitute(value)]),
  );
  const mounted = mount === undefined ? null : join(ROOT, folder, mount[0] ?? '');
  const config = configOf(environment, mounted);

  it('holds a configuration that passes check', () => expectPassesCheck(environment, mounted));

  it('builds the image of this checkout, and publishes its public port alone', () => {
    expect(resolve(ROOT, folder, String(proxy.build))).toBe(resolve(ROOT));
    expect(proxy.ports).toEqual(['8080:8080']);
    expect(config.server.listen.port).toBe(8080);
    expect(portsOf(image)).toEqual([8080, config.admin.listen.port]);
  });

  it('mounts a folder where the proxy looks, if any', () => {
    const source = findSource(undefined, {}, '/', () => true);
    if (mount !== undefined) expect(source).toMatchObject({ path: `${mount[1]}/config.yaml` });
  });

  it('runs the proxy without rights, and lets it finish', () => {
    expect(proxy).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(Number.parseInt(proxy.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(
      secondsToStop(config) + 5,
    );
  });

  it('has a service for every upstream, out of reach but for the proxy', () => {
    const hosts = Object.values(config.upstreams)
      .map(({ url }) => new URL(url ?? '').hostname)
      .filter((host) => !host.endsWith('.amazonaws.com'));
    expect(others.map(([name]) => name).sort()).toEqual(hosts.sort());
    for (const [name, service] of others) {
      expect(service, name).not.toHaveProperty('ports');
      expect(service.networks, name).toEqual(['inside']);
    }
    if (hosts.length === 0) return;
    expect(networks).toEqual({ outside: null, inside: { internal: true } });
    expect(proxy.networks).toEqual(['outside', 'inside']);
  });

  itWithCompose(`${folder} is accepted by docker-compose`, () => {
    runTool('docker-compose', ['-f', join(ROOT, folder, 'docker-compose.yaml'), 'config', '-q'], {
      environment: SAMPLE,
    });
  });
});

describe('the lines of deploy/docker/README.md', () => {
  const text = read('deploy/docker/README.md').replaceAll('\\\n', ' ');
  const runs = [...text.matchAll(/^docker run --detach (.*) cognito-auth-proxy$/gm)].map(
    ([, line = '']) => line,
  );

  it('are there for one service, for several, and for signing', () => expect(runs).toHaveLength(3));

  it.each(runs)('%s', async (line) => {
    const valuesOf = (option: string): string[] =>
      [...line.matchAll(new RegExp(`--${option} ("[^"]*"|\\S+)`, 'g'))].map(([, value = '']) =>
        value.replaceAll('"', ''),
      );
    const [volume] = valuesOf('volume').map((value) => value.replace('$PWD/', ROOT).split(':'));
    const environment = pairsOf(valuesOf('env'));
    await expectPassesCheck(environment, volume?.[0] ?? null);
    const config = configOf(environment, volume?.[0] ?? null);
    expect(valuesOf('publish')).toEqual([`8080:${config.server.listen.port}`]);
    expect(Number(valuesOf('stop-timeout')[0])).toBeGreaterThanOrEqual(secondsToStop(config) + 5);
    expect(line).toContain('--read-only --cap-drop ALL --security-opt no-new-privileges');
    if (volume !== undefined) expect(volume.slice(1)).toEqual(['/etc/cognito-auth-proxy', 'ro']);
  });
});

describe('deploy/docker/docker-compose.yaml', () => {
  const { services } = readCompose('deploy/docker');
  const dev = present(services['dev'], 'a service called dev');
  let program: Program | undefined;

  afterEach(async () => {
    program?.signal('SIGTERM');
    await program?.exited;
  });

  it('builds a stage of the Dockerfile that the image takes nothing from', () => {
    expect(dev.build).toMatchObject({ target: devImage.name });
    const context = typeof dev.build === 'object' ? dev.build.context : '';
    expect(resolve(ROOT, 'deploy/docker', context)).toBe(resolve(ROOT));
    expect(textsOf(image, 'COPY').join()).not.toContain('--from=dev');
  });

  it('publishes all its ports, to this machine alone', () => {
    expect(dev.ports).toEqual(portsOf(devImage).map((port) => `127.0.0.1:${port}:${port}`));
  });

  it('asks after its health as the image does', () => {
    const [, entry, ...rest] = healthcheckOf(image);
    expect(entry).toBe('/app/dist/bin.js');
    expect(healthcheckOf(devImage)).toEqual(['node', '/app/src/bin.js', ...rest]);
  });

  it('runs a stack that can be reached from outside the container', async () => {
    const [, entry, ...args] = [
      ...execForm(textsOf(devImage, 'ENTRYPOINT')[0] ?? ''),
      ...execForm(textsOf(devImage, 'CMD')[0] ?? ''),
    ];
    expect(dirname(entry ?? '')).toBe('/app/src');
    const freePorts = ['--port', '--admin-port', '--cognito-port', '--upstream-port'].flatMap((option) => [
      option,
      '0',
    ]);
    program = runProgram(process.execPath, [join(ROOT, 'src/bin.js'), ...args, '--json', ...freePorts]);
    const stack = JSON.parse(await program.line()) as DevSummary;
    // Another address of this machine, which what listens on 127.0.0.1 alone does not answer.
    for (const origin of [stack.proxy, stack.admin, stack.cognito, stack.upstream]) {
      await fetch(origin.replace('127.0.0.1', '127.0.0.2'));
    }
    const headers = { authorization: `Bearer ${stack.users.bob.accessToken}` };
    const posts = `${stack.proxy.replace('127.0.0.1', '127.0.0.2')}/posts`;
    expect((await fetch(posts, { headers })).status).toBe(200);
    expect((await fetch(posts, { method: 'POST', headers })).status).toBe(403);
  });

  itWithCompose('the development stack is accepted by docker-compose', () => {
    runTool('docker-compose', ['-f', join(ROOT, 'deploy/docker/docker-compose.yaml'), 'config', '-q']);
  });
});
