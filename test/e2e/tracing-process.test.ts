import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProxyConfig } from '../support/proxy.ts';
import {
  followServe,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
  takePort,
} from '../support/served.ts';
import { startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';
import { tracingTo } from '../support/traced-proxy.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const LIST_MODULES = pathToFileURL(join(import.meta.dirname, '../support/list-modules.ts')).href;
const CONFIG: ProxyConfig = {
  routes: [{ id: 'open', match: { path: '/{rest+}' }, allow: 'public', upstream: 'board' }],
};

let place: Surroundings;
let collector: TraceCollector;
let served: Served | undefined;

beforeEach(async () => {
  place = await prepareSurroundings();
  collector = await startTraceCollector();
});
afterEach(async () => {
  served?.program.signal('SIGKILL');
  await served?.program.exited;
  served = undefined;
  await collector.stop();
  await place.stop();
});

async function serve(
  environment: Readonly<Record<string, string>>,
  config: Partial<ProxyConfig> = {},
): Promise<Served> {
  const file = place.write('some.yaml', place.complete({ ...CONFIG, ...config }));
  served = await followServe(runServe(place.folder, ['serve', '--config', file], environment));
  return served;
}

/** The packages of OpenTelemetry that a process has loaded. */
async function loadedBy(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const file = join(place.folder, 'modules');
  const running = await serve({
    NODE_OPTIONS: `--import=${LIST_MODULES}`,
    LOADED_MODULES: file,
    ...environment,
  });
  expect((await running.request('GET /x HTTP/1.1')).status).toBe(200);
  expect(await running.stop()).toBe(0);
  const modules = readFileSync(file, 'utf8');
  expect(modules).toContain('/src/gateway.ts');
  const packages = [...modules.matchAll(/node_modules\/(@opentelemetry\/[^/\n]+)/g)].map(([, name]) => name);
  return [...new Set(packages.flatMap((name) => name ?? []))].sort();
}

describe('OpenTelemetry', () => {
  // prom-client asks the API, which is without effect by itself, whether somebody traces.
  const ALWAYS = ['@opentelemetry/api'];

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['without an endpoint', {}],
    ['with an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_SAMPLER: 'always_on' }],
    ['switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }],
    [
      'without an exporter',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' },
    ],
  ])('%s is not loaded', async (_, environment) => {
    expect(await loadedBy(environment)).toEqual(ALWAYS);
  });

  it('with an endpoint is', async () => {
    const packages = await loadedBy(tracingTo(collector));
    expect(packages).toEqual(expect.arrayContaining(['@opentelemetry/sdk-trace', ...ALWAYS]));
    expect(collector.spans.length).toBe(3);
  });
});

it('spans that wait are sent before the process ends', async () => {
  const running = await serve({
    ...tracingTo(collector),
    OTEL_BSP_SCHEDULE_DELAY: '600000',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  });
  expect(await running.request('GET /x HTTP/1.1')).toMatchObject({ status: 200 });
  expect(collector.spans).toEqual([]);
  expect(await running.stop()).toBe(0);
  expect(collector.spans.map(({ name }) => name).sort()).toEqual(['GET', 'GET /{rest+}', 'prepare']);
  expect(collector.requests[0]?.headers['content-encoding']).toBe('gzip');
});

it('each of several workers sends its own', async () => {
  const running = await serve(tracingTo(collector, { OTEL_SERVICE_NAME: 'edge' }), {
    server: { workers: 2, listen: '127.0.0.1:0', shutdown: { unready: '0s', drain: '2s' } },
  });
  const instances = (): Set<unknown> =>
    new Set(collector.spans.map(({ resource }) => resource['service.instance.id']));
  while (instances().size < 2) {
    const before = collector.spans.length;
    expect((await running.request('GET /x HTTP/1.1')).status).toBe(200);
    await collector.until(() => collector.spans.length >= before + 3);
  }
  expect(new Set(collector.spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['edge']));
  expect(await running.stop()).toBe(0);
  expect(running.log.filter(({ message }) => message === 'requests are traced')).toHaveLength(2);
});

describe('a collector that does not take what it is sent', () => {
  const COMPLAINT = 'spans could not be exported';

  it('changes nothing for requests; the log says so once, and when it is over', async () => {
    collector.behave(400);
    const running = await serve(tracingTo(collector));
    for (let i = 1; i <= 3; i += 1) {
      expect((await running.request('GET /x HTTP/1.1')).text).toBe('ok');
      await collector.until(() => collector.requests.length >= i);
    }
    expect(await running.logged(COMPLAINT)).toMatchObject({
      level: 'warn',
      url: `${collector.endpoint}/v1/traces`,
      err: { message: expect.any(String) },
    });
    collector.behave('good');
    expect((await running.request('GET /x HTTP/1.1')).text).toBe('ok');
    expect(await running.logged('spans are exported again')).toMatchObject({ level: 'info' });
    expect(await running.stop()).toBe(0);
    expect(running.log.filter(({ message }) => message === COMPLAINT)).toHaveLength(1);
  });

  it.each<readonly [string, () => Promise<string>]>([
    [
      'says nothing',
      async () => {
        collector.behave('silent');
        return collector.endpoint;
      },
    ],
    [
      'is not there',
      async () => {
        const { port, giveBack } = await takePort();
        await giveBack();
        return `http://127.0.0.1:${port}`;
      },
    ],
  ])('and %s holds up neither requests nor the end', async (_, prepare) => {
    const running = await serve({ ...tracingTo(collector), OTEL_EXPORTER_OTLP_ENDPOINT: await prepare() });
    for (let i = 0; i < 5; i += 1) expect((await running.request('GET /x HTTP/1.1')).text).toBe('ok');
    expect(await running.stop()).toBe(0);
  });
});

describe('variables that cannot be used', () => {
  it('are named, and count as unset', async () => {
    const running = await serve({
      ...tracingTo(collector),
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    });
    await running.request('GET /x HTTP/1.1');
    await collector.until(() => collector.spans.length === 3);
    expect(await running.stop()).toBe(0);
    const warning = 'these variables cannot be used for tracing and count as unset';
    expect(running.log.find(({ message }) => message === warning)).toMatchObject({
      level: 'warn',
      keys: ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_TRACES_SAMPLER'],
    });
  });

  it.each([1, 2])('but an endpoint that is none ends the start, with %s workers', async (workers) => {
    const config = { ...CONFIG, server: { workers, listen: '127.0.0.1:0' } };
    const file = place.write('some.yaml', place.complete(config));
    const program = runServe(place.folder, ['serve', '--config', file], {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.complaints).toContain(
      'cannot start: OTEL_EXPORTER_OTLP_ENDPOINT: expected an http or https URL such as http://collector:4318',
    );
  });
});
