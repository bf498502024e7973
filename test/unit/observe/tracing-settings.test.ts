import { describe, expect, it } from 'vitest';
import { readTracingSettings } from '../../../src/observe/tracing-settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const DEFAULTS = {
  url: 'http://collector:4318/v1/traces',
  headers: {},
  timeout: undefined,
  compression: 'none',
  sampler: { kind: 'always_on', parentBased: true, ratio: 1 },
  resource: { 'service.name': 'cognito-auth-proxy' },
  batch: { delay: undefined, queue: undefined, size: undefined },
  ignored: [],
};

describe('the variables of OpenTelemetry', () => {
  it.each<readonly [Record<string, string>]>([
    [{}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    [{ OTEL_SERVICE_NAME: 'a', OTEL_TRACES_SAMPLER: 'always_on', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
  ])('%j: nothing is traced', (environment) => {
    expect(readTracingSettings(environment)).toBeNull();
  });

  it.each<readonly [Record<string, string>, object]>([
    [{}, {}],
    [{ OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp' }, {}],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, {}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/otlp/' }, { url: 'https://c.example/otlp/v1/traces' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:4318/exact' }, { url: 'http://other:4318/exact' }],
    [
      {
        OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=2%2C3 ,, =x,c',
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=4,d=%zz',
      },
      { headers: { a: '1', b: '4', d: '%zz' } },
    ],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '500', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '700' }, { timeout: 700 }],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }, { compression: 'gzip' }],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      { sampler: { kind: 'traceidratio', parentBased: false, ratio: 0.25 } },
    ],
    [
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' },
      { sampler: { kind: 'traceidratio', parentBased: true, ratio: 1 } },
    ],
    [
      { OTEL_TRACES_SAMPLER: 'always_off', OTEL_TRACES_SAMPLER_ARG: 'whatever' },
      { sampler: { kind: 'always_off', parentBased: false, ratio: 1 } },
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=b' }, { resource: { 'service.name': 'a', team: 'b' } }],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'c' },
      { resource: { 'service.name': 'c' } },
    ],
    [
      {
        OTEL_BSP_SCHEDULE_DELAY: '10',
        OTEL_BSP_MAX_QUEUE_SIZE: '20',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
      },
      { batch: { delay: 10, queue: 20, size: 5 } },
    ],
    [
      {
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
        OTEL_TRACES_SAMPLER: 'xray',
        OTEL_EXPORTER_OTLP_TIMEOUT: '-1',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'br',
        OTEL_BSP_SCHEDULE_DELAY: '1.5',
        OTEL_BSP_MAX_QUEUE_SIZE: '0',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: 'many',
      },
      {
        ignored: [
          'OTEL_TRACES_EXPORTER',
          'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
          'OTEL_TRACES_SAMPLER',
          'OTEL_EXPORTER_OTLP_TIMEOUT',
          'OTEL_EXPORTER_OTLP_COMPRESSION',
          'OTEL_BSP_SCHEDULE_DELAY',
          'OTEL_BSP_MAX_QUEUE_SIZE',
          'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
        ],
      },
    ],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1.5' },
      {
        sampler: { kind: 'traceidratio', parentBased: false, ratio: 1 },
        ignored: ['OTEL_TRACES_SAMPLER_ARG'],
      },
    ],
  ])('%j', (environment, changes) => {
    expect(readTracingSettings({ ...ENDPOINT, ...environment })).toEqual({ ...DEFAULTS, ...changes });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector'],
  ])('%s=%s is an error', (name, value) => {
    expect(() => readTracingSettings({ ...ENDPOINT, [name]: value })).toThrow(
      `${name}: expected an http or https URL such as http://collector:4318`,
    );
  });
});
