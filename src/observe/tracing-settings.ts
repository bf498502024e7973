type Environment = Readonly<Record<string, string | undefined>>;

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

/** Which traces are recorded. */
export interface SamplerSettings {
  readonly kind: (typeof SAMPLERS)[number];
  /** Whether a trace that a client has begun is recorded as the client says. */
  readonly parentBased: boolean;
  /** From 0 to 1, for `traceidratio`. */
  readonly ratio: number;
}

/** What the environment says of tracing, in the variables that OpenTelemetry specifies. */
export interface TracingSettings {
  /** Where spans are sent, as OTLP over HTTP in JSON. */
  readonly url: string;
  /** Secrets may be among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for one export, with its repetitions. */
  readonly timeout: number | undefined;
  readonly compression: 'gzip' | 'none';
  readonly sampler: SamplerSettings;
  /** Attributes of the resource, `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  readonly batch: {
    /** Milliseconds. */
    readonly delay: number | undefined;
    readonly queue: number | undefined;
    readonly size: number | undefined;
  };
  /** Variables that are set to what cannot be used, and count as unset. */
  readonly ignored: readonly string[];
}

const PREFIX = 'OTEL_EXPORTER_OTLP_';

/**
 * Reads the variables of the OpenTelemetry specification ("Environment Variable Specification", "OTLP Exporter").
 * @returns null where nothing is to be traced: there is no endpoint, or tracing is switched off
 * @throws when the endpoint is no http or https URL
 */
export function readTracingSettings(environment: Environment): TracingSettings | null {
  const ignored: string[] = [];
  const text = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  /** The variable for traces wins over the one for all signals. */
  const exporter = (name: string): readonly [name: string, value: string | undefined] => {
    const specific = `${PREFIX}TRACES_${name}`;
    return text(specific) === undefined
      ? [`${PREFIX}${name}`, text(`${PREFIX}${name}`)]
      : [specific, text(specific)];
  };
  const choose = <T extends string>(
    [name, value]: readonly [string, string | undefined],
    choices: readonly T[],
    otherwise: T,
  ): T => {
    if (value === undefined) return otherwise;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined) ignored.push(name);
    return chosen ?? otherwise;
  };
  const number = (
    [name, value]: readonly [string, string | undefined],
    fits: (value: number) => boolean,
  ): number | undefined => {
    if (value === undefined) return undefined;
    const read = Number(value);
    if (fits(read)) return read;
    ignored.push(name);
    return undefined;
  };
  const positive = (value: number): boolean => Number.isInteger(value) && value > 0;

  const [endpointName, endpoint] = exporter('ENDPOINT');
  if (endpoint === undefined) return null;
  if (text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || text('OTEL_TRACES_EXPORTER') === 'none')
    return null;

  choose(['OTEL_TRACES_EXPORTER', text('OTEL_TRACES_EXPORTER')], ['otlp'], 'otlp');
  choose(exporter('PROTOCOL'), ['http/json'], 'http/json');
  const samplerName = ['OTEL_TRACES_SAMPLER', text('OTEL_TRACES_SAMPLER')] as const;
  const sampler = choose(
    samplerName,
    SAMPLERS.flatMap((kind) => [kind, `parentbased_${kind}` as const]),
    'parentbased_always_on',
  );
  const kind = sampler.replace('parentbased_', '') as SamplerSettings['kind'];
  const argument = ['OTEL_TRACES_SAMPLER_ARG', text('OTEL_TRACES_SAMPLER_ARG')] as const;
  const ratio = kind === 'traceidratio' ? number(argument, (value) => value >= 0 && value <= 1) : undefined;
  const serviceName = text('OTEL_SERVICE_NAME');

  return {
    url: urlOf(endpointName, endpoint),
    headers: { ...pairs(text(`${PREFIX}HEADERS`)), ...pairs(text(`${PREFIX}TRACES_HEADERS`)) },
    timeout: number(exporter('TIMEOUT'), positive),
    compression: choose(exporter('COMPRESSION'), ['gzip', 'none'], 'none'),
    sampler: { kind, parentBased: sampler.startsWith('parentbased_'), ratio: ratio ?? 1 },
    resource: {
      'service.name': 'cognito-auth-proxy',
      ...pairs(text('OTEL_RESOURCE_ATTRIBUTES')),
      ...(serviceName !== undefined && { 'service.name': serviceName }),
    },
    batch: {
      delay: number(['OTEL_BSP_SCHEDULE_DELAY', text('OTEL_BSP_SCHEDULE_DELAY')], positive),
      queue: number(['OTEL_BSP_MAX_QUEUE_SIZE', text('OTEL_BSP_MAX_QUEUE_SIZE')], positive),
      size: number(['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', text('OTEL_BSP_MAX_EXPORT_BATCH_SIZE')], positive),
    },
    ignored,
  };
}

/** The endpoint for all signals is a base that the path of this one is appended to; the one for traces is taken as it is. */
function urlOf(name: string, endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${name}: expected an http or https URL such as http://collector:4318`);
  }
  if (name.includes('TRACES')) return url.href;
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}

/** `key=value,key=value`, the values percent-encoded (W3C Baggage); what is no pair is passed over. */
function pairs(list: string | undefined): Record<string, string> {
  const read: Record<string, string> = {};
  for (const pair of list?.split(',') ?? []) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals).trim();
    if (equals > 0 && key !== '') read[key] = decode(pair.slice(equals + 1).trim());
  }
  return read;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
