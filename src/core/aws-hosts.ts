/** What a host name says of the signature it expects. */
export interface AwsService {
  /** The signing name. */
  readonly service: string;
  /** Null where the host does not tell. */
  readonly region: string | null;
}

/** Domains of the partitions: commercial with GovCloud, China, and the isolated ones; longest first. */
const DOMAINS = [
  '.api.amazonwebservices.com.cn',
  '.on.amazonwebservices.com.cn',
  '.amazonaws.com.cn',
  '.amazonaws.com',
  '.api.aws',
  '.on.aws',
  '.c2s.ic.gov',
  '.sc2s.sgov.gov',
];

const REGION = /^[a-z]{2,3}(?:-[a-z]+)+-\d+$/;

/** The label before the region, where the signing name is another (`bucket.s3-accesspoint.us-east-1`). */
const SIGNING_NAMES: Readonly<Record<string, string>> = {
  aos: 'es',
  'appsync-api': 'appsync',
  'appsync-realtime-api': 'appsync',
  'aps-workspaces': 'aps',
  'bedrock-agent': 'bedrock',
  'bedrock-agent-runtime': 'bedrock',
  'bedrock-agentcore-control': 'bedrock-agentcore',
  'bedrock-runtime': 'bedrock',
  'data-ats': 'iotdata',
  ddb: 'dynamodb',
  email: 'ses',
  iot: 'iotdata',
  'lambda-url': 'lambda',
  'personalize-events': 'personalize',
  'personalize-runtime': 'personalize',
  'runtime-v2-lex': 'lex',
  's3-accesspoint': 's3',
  's3-control': 's3',
  transcribestreaming: 'transcribe',
};

/** The label after the region, of services that put their name last (`name-id.us-east-1.es`). */
const REGION_FIRST: Readonly<Record<string, string>> = { aoss: 'aoss', es: 'es', neptune: 'neptune-db' };

/** Hosts that name no region. */
const GLOBAL: Readonly<Record<string, AwsService>> = {
  cloudfront: { service: 'cloudfront', region: 'us-east-1' },
  iam: { service: 'iam', region: 'us-east-1' },
  'iam.us-gov': { service: 'iam', region: 'us-gov-west-1' },
  route53: { service: 'route53', region: 'us-east-1' },
  'route53.us-gov': { service: 'route53', region: 'us-gov-west-1' },
  sts: { service: 'sts', region: 'us-east-1' },
};

/** Services whose path is encoded once and whose payload hash is always a header. */
const S3_FAMILY: ReadonlySet<string> = new Set(['s3', 's3-object-lambda', 's3-outposts']);

export function isS3(service: string): boolean {
  return S3_FAMILY.has(service);
}

/**
 * Reads service and region off an AWS host name ("Service endpoints and quotas", AWS General Reference).
 * @param host in lower case, without a port
 * @returns null for a host that is not an AWS service's
 */
export function readAwsHost(host: string): AwsService | null {
  const domain = DOMAINS.find((suffix) => host.endsWith(suffix));
  if (domain === undefined) return null;
  const name = host.slice(0, -domain.length);
  if (Object.hasOwn(GLOBAL, name)) return GLOBAL[name] ?? null;
  // Interface endpoints: `vpce-1-2.execute-api.us-east-1.vpce`.
  const labels = name.split('.').filter((label) => label !== 'dualstack');
  if (labels.at(-1) === 'vpce') labels.pop();
  const last = labels.pop() ?? '';
  const before = labels.pop() ?? '';

  if (REGION.test(last)) return before === '' ? null : named(before, last);
  if (REGION.test(before) && Object.hasOwn(REGION_FIRST, last)) {
    return { service: REGION_FIRST[last] ?? last, region: before };
  }
  return readOldS3(last);
}

function named(label: string, region: string): AwsService | null {
  const name = label.replace(/-fips$/, '');
  // Static web sites take no signatures.
  if (name === 's3-website') return null;
  return { service: Object.hasOwn(SIGNING_NAMES, name) ? (SIGNING_NAMES[name] ?? name) : name, region };
}

/** S3's older forms end in one label: `s3`, `s3-us-west-2`, `s3-fips-us-gov-west-1`, `s3-external-1`, `s3-accelerate`. */
function readOldS3(label: string): AwsService | null {
  if (label === 's3' || label === 's3-external-1') return { service: 's3', region: 'us-east-1' };
  if (label === 's3-accelerate') return { service: 's3', region: null };
  const region = label.replace(/^s3-(?:fips-)?/, '');
  return region !== label && REGION.test(region) ? { service: 's3', region } : null;
}
