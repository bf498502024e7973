import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSource } from '../../src/config/find-source.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Config } from '../../src/config/schema/config.ts';
import { explainRequest } from '../../src/explain.ts';
import { runCommandLine } from '../support/command-line.ts';
import { itWith } from '../support/debian-tools.ts';
import { pairsOf, parseDockerfile, textsOf } from '../support/dockerfile.ts';
import {
  type Container,
  type KubernetesObjects,
  readKubernetesObjects,
} from '../support/kubernetes-objects.ts';
import { buildKustomization, readObjects } from '../support/kustomize.ts';
import { startProxy } from '../support/proxy.ts';

const OVERLAYS = ['overlays/sidecar', 'overlays/standalone', 'overlays/signing'] as const;
const itWithKubectl = itWith('kubectl');
/** The folder where the proxy looks for its configuration when nothing else is said. */
const CONFIG_FOLDER = configFolder();
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

function configFolder(): string {
  const source = findSource(undefined, {}, '/', () => true);
  if (source?.kind !== 'file') throw new Error('no file is looked for');
  return dirname(source.path);
}

const built = new Map<string, KubernetesObjects>();
function objectsOf(folder: string): KubernetesObjects {
  const objects = built.get(folder) ?? readKubernetesObjects(buildKustomization(folder));
  built.set(folder, objects);
  return objects;
}

const podOf = (objects: KubernetesObjects) => objects.one('Deployment').spec.template;

function proxyOf(objects: KubernetesObjects): Container {
  const found = podOf(objects).spec.containers.find(({ name }) => name === 'proxy');
  if (found === undefined) throw new Error('no container is called proxy');
  return found;
}

const neighboursOf = (objects: KubernetesObjects): Container[] =>
  podOf(objects).spec.containers.filter(({ name }) => name !== 'proxy');

const configTextOf = (objects: KubernetesObjects): string =>
  objects.one('ConfigMap').data['config.yaml'] ?? '';

/** The image's, and the container's. */
function environmentOf(objects: KubernetesObjects): Record<string, string> {
  const image = parseDockerfile(read('Dockerfile')).at(-1);
  return {
    ...(image && pairsOf(textsOf(image, 'ENV'))),
    ...Object.fromEntries(proxyOf(objects).env.map(({ name, value }) => [name, value])),
  };
}

/** What the proxy in the pod makes of the ConfigMap. */
function configOf(objects: KubernetesObjects): Config {
  const text = configTextOf(objects);
  const source = { kind: 'text', name: 'config.yaml', text, folder: CONFIG_FOLDER } as const;
  const loaded = loadConfig(source, { environment: environmentOf(objects) });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

const preStopOf = (container: Container): number => container.lifecycle?.preStop.sleep.seconds ?? 0;

/** Whether a selector's labels are all on an object. */
function selects(
  selector: { readonly matchLabels?: Readonly<Record<string, string>> | undefined },
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
}

/** Seconds for which the kubelet must be patient, by the configuration: what the pod's own numbers have to agree with. */
function shutdownOf(objects: KubernetesObjects): { readonly unready: number; readonly whole: number } {
  const { unready, drain } = configOf(objects).server.shutdown;
  const beforehand = preStopOf(proxyOf(objects));
  return { unready: unready / 1000, whole: beforehand + (unready + drain) / 1000 };
}

/** Runs the command on the ConfigMap's file, with the container's variables. */
async function expectPassesCheck(objects: KubernetesObjects): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'config-map-'));
  try {
    writeFileSync(join(folder, 'config.yaml'), configTextOf(objects));
    const args = ['check', '--config', 'config.yaml'];
    const ran = await runCommandLine(args, { folder, environment: environmentOf(objects) });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('config.yaml is fine');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function expectConfigured(objects: KubernetesObjects): void {
  const config = configOf(objects);
  const container = proxyOf(objects);
  const portOf = (name: string): number | undefined =>
    container.ports.find((port) => port.name === name)?.containerPort;
  expect([config.server.listen.port, config.admin.listen.port]).toEqual([portOf('http'), portOf('admin')]);
  expect([config.server.listen.host, config.admin.listen.host]).toEqual(['0.0.0.0', '0.0.0.0']);
}

function expectLiveReload(objects: KubernetesObjects): void {
  const { volumes } = podOf(objects).spec;
  const mount = proxyOf(objects).volumeMounts.find(({ mountPath }) => mountPath.startsWith(CONFIG_FOLDER));
  expect(mount?.mountPath).toBe(CONFIG_FOLDER);
  expect(mount).not.toHaveProperty('subPath');
  const volume = volumes.find(({ name }) => name === mount?.name);
  expect(volume?.configMap?.name).toBe(objects.one('ConfigMap').metadata.name);
}

function expectPatience(objects: KubernetesObjects): void {
  const { unready, whole } = shutdownOf(objects);
  const { terminationGracePeriodSeconds } = podOf(objects).spec;
  // The process has some seconds left to end in once the last request is cut.
  expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(whole + 5);
  for (const neighbour of neighboursOf(objects)) {
    expect(preStopOf(neighbour), neighbour.name).toBeGreaterThanOrEqual(whole);
    expect(preStopOf(neighbour), neighbour.name).toBeLessThan(terminationGracePeriodSeconds);
  }
  const { readinessProbe } = proxyOf(objects);
  const noticed = (readinessProbe?.periodSeconds ?? 0) * (readinessProbe?.failureThreshold ?? 0);
  expect(noticed).toBeGreaterThan(0);
  expect(noticed).toBeLessThanOrEqual(unready);
}

/** The kubelet cannot reach a service on the pod's loopback: it has to ask through the proxy, by a route for anybody. */
function expectReadyTogether(objects: KubernetesObjects): void {
  const config = configOf(objects);
  for (const { name, readinessProbe } of neighboursOf(objects)) {
    const { path = '', port } = readinessProbe?.httpGet ?? {};
    expect(port, name).toBe(config.server.listen.port);
    const url = `http://10.0.0.1:${port}${path}`;
    const explained = explainRequest(config, { method: 'GET', url, token: null, idToken: null, now: 0 });
    expect(explained, name).toMatchObject({ outcome: 'allow', route: { allow: 'public' } });
    const { url: upstream = '' } = config.upstreams[explained.route?.upstream ?? ''] ?? {};
    expect(new URL(upstream).hostname, name).toBe('127.0.0.1');
  }
}

/** The profile "restricted" of the Pod Security Standards, and a read-only root besides. */
function expectHardened(objects: KubernetesObjects): void {
  const { spec } = podOf(objects);
  expect(spec.securityContext?.seccompProfile.type).toBe('RuntimeDefault');
  for (const { name, securityContext } of spec.containers) {
    expect(securityContext, name).toMatchObject({
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  }
  expect(proxyOf(objects).securityContext).toMatchObject({ readOnlyRootFilesystem: true });
}

describe.each(OVERLAYS)('deploy/kubernetes/%s', (overlay) => {
  itWithKubectl(`${overlay} is built, and the API knows every field`, () => {
    expect(objectsOf(overlay).one('Deployment').metadata.name).toMatch(/auth-proxy$/);
  });

  itWithKubectl(`${overlay} holds a configuration that passes check`, async () => {
    await expectPassesCheck(objectsOf(overlay));
  });

  itWithKubectl(`${overlay} is configured for the ports that the container names`, () => {
    expectConfigured(objectsOf(overlay));
  });

  itWithKubectl(`${overlay} mounts the configuration as a folder, under a name that stays`, () => {
    expectLiveReload(objectsOf(overlay));
    const { name } = objectsOf(overlay).one('ConfigMap').metadata;
    expect(name).toBe(objectsOf(overlay).one('Deployment').metadata.name);
  });

  itWithKubectl(`${overlay} gives the proxy the time that server.shutdown asks for`, () => {
    expectPatience(objectsOf(overlay));
  });

  itWithKubectl(`${overlay} is ready when every service beside the proxy is`, () => {
    expectReadyTogether(objectsOf(overlay));
    expect(neighboursOf(objectsOf(overlay))).toHaveLength(overlay === 'overlays/sidecar' ? 1 : 0);
  });

  itWithKubectl(`${overlay} runs without rights`, () => {
    expectHardened(objectsOf(overlay));
    expect(podOf(objectsOf(overlay)).spec.automountServiceAccountToken).toBe(false);
    expect(proxyOf(objectsOf(overlay)).securityContext).toMatchObject({
      runAsUser: 65_532,
      runAsGroup: 65_532,
    });
  });

  itWithKubectl(`${overlay} runs this version of the image`, () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(proxyOf(objectsOf(overlay)).image).toMatch(new RegExp(`/cognito-auth-proxy:${version}$`));
  });

  itWithKubectl(`${overlay}: every name leads to something`, () => {
    const objects = objectsOf(overlay);
    const deployment = objects.one('Deployment');
    const pod = podOf(objects);
    const portNames = proxyOf(objects).ports.map(({ name }) => name);
    expect(selects(deployment.spec.selector, pod.metadata.labels)).toBe(true);
    expect(pod.spec.serviceAccountName).toBe(objects.one('ServiceAccount').metadata.name);
    for (const { metadata, spec } of objects.all('Service')) {
      expect(selects({ matchLabels: spec.selector }, pod.metadata.labels), metadata.name).toBe(true);
      for (const { targetPort } of spec.ports) expect(portNames).toContain(targetPort);
    }
    for (const { labelSelector } of pod.spec.topologySpreadConstraints ?? []) {
      expect(selects(labelSelector, pod.metadata.labels)).toBe(true);
    }
    expect(selects(objects.one('PodDisruptionBudget').spec.selector, pod.metadata.labels)).toBe(true);
    const autoscaler = objects.one('HorizontalPodAutoscaler').spec;
    expect(autoscaler.scaleTargetRef.name).toBe(deployment.metadata.name);
    // A number in the Deployment would undo the autoscaler's with every apply.
    expect(deployment.spec).not.toHaveProperty('replicas');
    for (const { containerResource } of autoscaler.metrics) {
      const scaled = pod.spec.containers.find(({ name }) => name === containerResource.container);
      expect(scaled?.resources?.requests[containerResource.name]).toBeDefined();
    }
  });

  itWithKubectl(`${overlay} shuts clients out of the admin port, and nobody out of the other`, () => {
    const objects = objectsOf(overlay);
    const policies = objects
      .all('NetworkPolicy')
      .filter(({ spec }) => selects(spec.podSelector, podOf(objects).metadata.labels));
    const rules = policies.flatMap(({ spec }) => (spec.podSelector.matchLabels ? (spec.ingress ?? []) : []));
    expect(rules.map(({ from, ports }) => [ports.map(({ port }) => port), from !== undefined])).toEqual([
      [['http'], false],
      [['admin'], true],
    ]);
  });

  itWithKubectl(`${overlay} lets the proxy reach keys, names and every upstream`, () => {
    const objects = objectsOf(overlay);
    const reachable = objects
      .all('NetworkPolicy')
      .filter(({ spec }) => spec.podSelector.matchLabels && spec.policyTypes.includes('Egress'))
      .flatMap(({ spec }) => (spec.egress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port)));
    const upstreams = Object.values(configOf(objects).upstreams)
      .flatMap(({ url, urls }) => urls ?? [url ?? ''])
      .map((url) => new URL(url))
      .filter(({ hostname }) => hostname !== '127.0.0.1')
      .map(({ port, protocol }) => Number(port) || (protocol === 'https:' ? 443 : 80));
    expect(reachable).toEqual(expect.arrayContaining([53, 443, ...upstreams]));
  });

  itWithKubectl(`${overlay} does not take other pods for its own`, () => {
    const objects = objectsOf(overlay);
    const { labels } = podOf(objects).metadata;
    const peers = objects
      .all('NetworkPolicy')
      .flatMap(({ spec }) => [...(spec.egress ?? []).flatMap(({ to }) => to ?? [])]);
    // Kustomize adds the instance's label to every matchLabels it finds, also where others are meant.
    for (const { podSelector } of peers) expect(podSelector ?? {}).not.toHaveProperty('matchLabels');
    expect(labels).toHaveProperty(['app.kubernetes.io/instance']);
  });

  itWithKubectl(`${overlay}: what the ServiceMonitor asks is there`, () => {
    const { selector, endpoints } = objectsOf('monitoring').one('ServiceMonitor').spec;
    const services = objectsOf(overlay)
      .all('Service')
      .filter(({ metadata }) => selects(selector, metadata.labels));
    expect(services.map(({ spec }) => spec.ports.map(({ name }) => name))).toEqual([
      endpoints.map(({ port }) => port),
    ]);
  });
});

describe('overlays/signing', () => {
  itWithKubectl('overlays/signing has its token where the AWS SDK looks, and readable by the proxy', () => {
    const objects = objectsOf('overlays/signing');
    const { volumes, securityContext } = podOf(objects).spec;
    const container = proxyOf(objects);
    const variable = (name: string): string | undefined =>
      container.env.find((each) => each.name === name)?.value;
    const volume = volumes.find(({ projected }) => projected !== undefined);
    const token = volume?.projected?.sources[0]?.serviceAccountToken;
    const mount = container.volumeMounts.find(({ name }) => name === volume?.name);
    expect(token).toMatchObject({ audience: 'sts.amazonaws.com' });
    expect(variable('AWS_WEB_IDENTITY_TOKEN_FILE')).toBe(`${mount?.mountPath}/${token?.path}`);
    expect(variable('AWS_ROLE_ARN')).toMatch(/^arn:aws:iam::\d{12}:role\//);
    expect(securityContext?.fsGroup).toBe(container.securityContext?.runAsGroup);

    const { archive } = configOf(objects).upstreams;
    expect(archive?.sign?.credentials).toEqual({ source: 'default' });
    expect(archive?.url).toContain(`.${variable('AWS_REGION')}.amazonaws.com`);
  });
});

describe('the probes and the ServiceMonitor', () => {
  itWithKubectl('probes and ServiceMonitor ask for what the admin port answers', async () => {
    const objects = objectsOf(OVERLAYS[0]);
    const { livenessProbe, readinessProbe } = proxyOf(objects);
    const monitor = objectsOf('monitoring').one('ServiceMonitor').spec;
    const asked = [livenessProbe?.httpGet, readinessProbe?.httpGet, ...monitor.endpoints];
    expect(asked.map((each) => each?.port)).toEqual(['admin', 'admin', 'admin']);

    const proxy = await startProxy({
      routes: [{ id: 'rest', match: { path: '/rest' }, allow: 'public', upstream: 'board' }],
    });
    for (const each of asked) expect((await fetch(proxy.admin + each?.path)).status).toBe(200);
    await proxy.stop();
  });
});

describe("the README's manifest", () => {
  const [, manifest = ''] = /```yaml\n(apiVersion: [\s\S]*?)```/.exec(read('README.md')) ?? [];
  const objects = readKubernetesObjects(readObjects(manifest));

  it('holds a configuration that passes check', () => expectPassesCheck(objects));
  it('is configured for the ports that the container names', () => expectConfigured(objects));
  it('mounts it as a folder', () => expectLiveReload(objects));
  it('gives the proxy the time that server.shutdown asks for', () => expectPatience(objects));
  it('is ready when the service is', () => expectReadyTogether(objects));
  it('runs without rights', () => expectHardened(objects));
  it('leads clients to the proxy', () => {
    const { selector, ports } = objects.one('Service').spec;
    expect(selects({ matchLabels: selector }, podOf(objects).metadata.labels)).toBe(true);
    expect(ports.map(({ targetPort }) => targetPort)).toEqual(['http']);
  });
});
