import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { type DebianTool, itWith, runTool } from '../support/debian-tools.ts';
import { execForm, pairsOf, parseDockerfile, textsOf } from '../support/dockerfile.ts';
import { type KubernetesObjects, readKubernetesObjects } from '../support/kubernetes-objects.ts';
import { buildKustomization, readObjects } from '../support/kustomize.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';

/**
 * The commands of pages that no other test follows: what can run here runs, and the rest is held against the objects
 * it names. Those of the quick start and of the recipes are followed in tests of their own.
 */
const PAGES = [
  'README.md',
  'README.ko.md',
  'deploy/docker/README.md',
  'deploy/kubernetes/README.md',
  'docs/status-page.md',
  'docs/tracing.md',
  'docs/troubleshooting.md',
  'docs/ko/troubleshooting.md',
];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const blocksOf = (page: string): string[] =>
  [...read(page).matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , block = '']) => block);

/** Every command of a page's `sh` blocks, and those in a sentence that have all their words. */
function commandsOf(page: string): string[] {
  const text = read(page);
  const lines = blocksOf(page)
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    // One command over several lines, which deploy-monitoring.test.ts follows.
    .replace(/\{ printf [\s\S]*?\} \| /, '')
    .split('\n')
    .flatMap((line) => line.trim().split(' && '))
    .filter((line) => line !== '' && !line.startsWith('#'));
  const inline = [...text.matchAll(/`((?:kubectl|docker) [^`]* [^`]*)`/g)].map(([, code = '']) => code);
  return [...lines, ...inline.filter((code) => !code.includes('...') && !/ -\w$/.test(code))];
}

const printed = PAGES.flatMap((page) => commandsOf(page).map((command) => ({ page, command })));

const image = parseDockerfile(read('Dockerfile')).at(-1);
const imageHas = (keyword: string): string[] => (image === undefined ? [] : textsOf(image, keyword));
const ENTRY = execForm(imageHas('ENTRYPOINT')[0] ?? '').join(' ');
const IMAGE_PORTS = imageHas('EXPOSE').flatMap((text) => text.split(' '));

/** What `pick` finds in all printed commands: names that others refer to. */
const named = (pick: RegExp): string[] =>
  printed.flatMap(({ command }) => [...command.matchAll(pick)].map(([, name = '']) => name));

const objectsByDeployment = new Map<string, KubernetesObjects>();
function objectsOf(deployment: string): KubernetesObjects {
  if (objectsByDeployment.size === 0) {
    const [, manifest = ''] = /```yaml\n(apiVersion: [\s\S]*?)```/.exec(read('README.md')) ?? [];
    for (const raw of [readObjects(manifest), buildKustomization('overlays/sidecar')]) {
      const objects = readKubernetesObjects(raw);
      objectsByDeployment.set(objects.one('Deployment').metadata.name, objects);
    }
  }
  const found = objectsByDeployment.get(deployment);
  if (found === undefined) throw new Error(`no deployment is called ${deployment}`);
  return found;
}
const containersOf = (deployment: string) =>
  objectsOf(deployment).one('Deployment').spec.template.spec.containers;

/** What is said to the program itself: a command it has, with options that this command has. */
async function expectUnderstood(args: string): Promise<void> {
  const [command = '', ...rest] = args.split(' ');
  const help = await runCommandLine([command, '--help']);
  expect(help.out).toContain(` ${command} [options]`);
  for (const option of rest.filter((each) => each.startsWith('--'))) expect(help.out).toContain(option);
}

async function expectInImage(command: string): Promise<void> {
  expect(command.startsWith(`${ENTRY} `), command).toBe(true);
  await expectUnderstood(command.slice(ENTRY.length + 1));
}

/** A configuration that lets `/posts` be asked for by whoever has a token. */
let proxy: ProxyUnderTest;
beforeAll(async () => {
  const rest = {
    id: 'rest',
    match: { path: '/{proxy+}' },
    allow: 'authenticated',
    upstream: 'board',
  } as const;
  const root = { id: 'root', match: { path: '/' }, allow: 'authenticated', upstream: 'board' } as const;
  proxy = await startProxy({ routes: [root, rest] });
});
afterAll(() => proxy.stop());

async function runHere(command: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = { ...process.env, ...environment };
  const { stdout } = await promisify(execFile)('sh', ['-ec', command], { cwd: ROOT, env });
  return stdout;
}

interface Kind {
  readonly form: RegExp;
  readonly tool?: DebianTool;
  readonly follow: (...parts: string[]) => unknown;
}

const KINDS: readonly Kind[] = [
  {
    form: /^npx node src\/main\.ts (\w+ .*)$/,
    follow: async (args) => {
      await expectUnderstood(args);
      // A name in capitals stands for the reader's own file.
      if (!/ [A-Z]+\b/.test(args.replaceAll(/--method \S+/g, '')))
        await runHere(`npx node src/main.ts ${args}`);
    },
  },
  {
    form: /^(?:\w+=(\S+) )?npm (?:run )?(ci|start|test|[\w:]+)(?: -- .*)?$/,
    follow: (_value, script) => {
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
      if (script !== 'ci') expect(Object.keys(scripts)).toContain(script);
    },
  },
  {
    form: /^curl ([^#]*?) *(?:# (\d{3})?.*)?$/,
    tool: 'curl',
    follow: async (args, status) => {
      const addressed = args
        .replaceAll(/http:\/\/(127\.0\.0\.1|localhost):8080/g, proxy.origin)
        .replaceAll(/http:\/\/(127\.0\.0\.1|localhost):9090/g, proxy.admin);
      expect(addressed).not.toBe(args);
      const fail = status === undefined ? '--fail-with-body ' : '';
      const answer = await runHere(`curl ${fail}${addressed}`, { TOKEN: proxy.token() });
      expect(answer).toMatch(status === undefined ? /./ : new RegExp(`^HTTP/1.1 ${status} `));
    },
  },
  {
    form: /^kubectl (?:-n \w+ )?apply -k deploy\/kubernetes\/(\S+)$/,
    tool: 'kubectl',
    follow: (folder) => expect(buildKustomization(folder)).not.toEqual([]),
  },
  { form: /^kubectl -n \w+ apply -f -$/, follow: () => undefined },
  {
    form: /^kubectl create namespace (\w+)$/,
    follow: (namespace) => expect(named(/^kubectl -n (\w+) /g)).toContain(namespace),
  },
  {
    form: /^kubectl (?:-n \w+ )?rollout (?:status|restart) deployment\/(\S+)$/,
    tool: 'kubectl',
    follow: objectsOf,
  },
  {
    form: /^kubectl (?:-n \w+ )?port-forward deployment\/(\S+) ([\d: ]+)$/,
    tool: 'kubectl',
    follow: (deployment, ports) => {
      const open = containersOf(deployment).flatMap((each) =>
        each.ports.map(({ containerPort }) => containerPort),
      );
      for (const port of ports.split(' ')) expect(open).toContain(Number(port.replace(/^\d+:/, '')));
    },
  },
  {
    form: /^kubectl (?:-n \w+ )?exec (?:-i )?deploy\/(\S+) -c (\S+) -- (.*)$/,
    tool: 'kubectl',
    follow: async (deployment, container, command) => {
      expect(containersOf(deployment).map(({ name }) => name)).toContain(container);
      await expectInImage(command);
    },
  },
  {
    form: /^kubectl -n (\w+) logs -l (\S+)=(\S+) -c (\S+) --tail \d+$/,
    tool: 'kubectl',
    follow: (_namespace, key, value, container) => {
      const labelled = ['board-auth-proxy'].filter(
        (name) => objectsOf(name).one('Deployment').spec.template.metadata.labels[key] === value,
      );
      expect(labelled).not.toEqual([]);
      for (const name of labelled) expect(containersOf(name).map((each) => each.name)).toContain(container);
    },
  },
  {
    form: /^docker build -t \S+ \.$/,
    follow: () => expect(image).toBeDefined(),
  },
  {
    form: /^docker push (\S+)$/,
    follow: (name) => expect(named(/^docker build -t (\S+) \.$/g)).toContain(name),
  },
  {
    form: /^docker run (.*?) (cognito-auth-proxy(?: .*)?)$/,
    follow: async (options, words) => {
      expect(named(/^docker build -t (\S+) \.$/g)).toContain('cognito-auth-proxy');
      for (const [, port] of options.matchAll(/(?:--publish|-p) (?:[\d.]+:)?\d+:(\d+)/g)) {
        expect(IMAGE_PORTS).toContain(port);
      }
      const [, folder] = /(?:--volume|-v) "\$PWD\/([^:]*):/.exec(options) ?? [];
      const variables = [...options.matchAll(/(?:--env|-e) (\S+)/g)].map(([, pair = '']) => pair);
      const config = folder === undefined ? [] : ['--config', join(ROOT, folder, 'config.yaml')];
      const ran = await runCommandLine(['check', ...config], {
        environment: { ...pairsOf(imageHas('ENV')), ...pairsOf(variables) },
      });
      expect(ran).toMatchObject({ code: 0, err: '' });
      const [, command] = words.split(' ');
      if (command !== undefined) await expectUnderstood(command);
    },
  },
  {
    form: /^docker run --rm --network container:(\S+) curlimages\/curl -s http:\/\/localhost:(\d+)\/$/,
    follow: (container, port) => {
      expect(named(/^docker run .*--name (\S+)/g)).toContain(container);
      expect(IMAGE_PORTS).toContain(port);
    },
  },
  // Not ours.
  { form: /^docker run .* jaegertracing\/jaeger:\S+$/, follow: () => undefined },
  {
    form: /^docker (?:exec|kill --signal HUP|inspect --format '[^']*') (\S+) ?(.*)$/,
    follow: async (container, command) => {
      expect(named(/^docker run .*--name (\S+)/g)).toContain(container);
      if (command !== '') await expectInImage(command);
    },
  },
  {
    form: /^docker compose exec (\w+) (.*)$/,
    follow: async (service, command) => {
      expect(read('deploy/docker/one-service/docker-compose.yaml')).toContain(`\n  ${service}:\n`);
      await expectInImage(command);
    },
  },
  {
    form: /^docker compose (?:up|logs)(?: --[\w-]+)*$/,
    tool: 'docker-compose',
    follow: () =>
      runTool('docker-compose', ['-f', join(ROOT, 'deploy/docker/docker-compose.yaml'), 'config', '-q']),
  },
  { form: /^cd (\S+)$/, follow: (folder) => expect(existsSync(join(ROOT, folder))).toBe(true) },
  {
    form: /^ssh -L \d+:127\.0\.0\.1:(\d+) \S+$/,
    follow: (port) => expect(IMAGE_PORTS).toContain(port),
  },
];

describe('comments beside commands', () => {
  const pages = ['.', 'docs', 'deploy', 'bench'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder !== '.', encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

  // zsh, which macOS has, reads pasted comments as commands: one quote in them, and it waits for another to come.
  it.each(pages)('%s: have no quotes that a shell would wait for the end of', (page) => {
    const comments = blocksOf(page).flatMap((block) => block.match(/(?<=^|\s)# .*$/gm) ?? []);
    for (const comment of comments) {
      for (const quote of ["'", '"', '`']) expect(comment.split(quote).length % 2, comment).toBe(1);
    }
  });
});

describe('commands in the documentation', () => {
  const followed = printed.map(({ page, command }) => ({
    page,
    command,
    kind: KINDS.find(({ form }) => form.test(command)),
  }));

  it('are of kinds that can be followed here', () => {
    expect(followed.length).toBeGreaterThan(40);
    expect(followed.filter(({ kind }) => kind === undefined)).toEqual([]);
  });

  for (const { page, command, kind } of followed) {
    if (kind === undefined) continue;
    const define = kind.tool === undefined ? it : itWith(kind.tool);
    define(`${page}: ${command}`, async () => {
      const parts = (kind.form.exec(command) ?? []).slice(1);
      await kind.follow(...parts);
    });
  }
});
