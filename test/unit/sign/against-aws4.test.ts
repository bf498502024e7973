import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrivedHead, createSignatureVerifier } from '../../../src/dev/verify-signature.ts';
import { canonicalizePath } from '../../../src/listen/canonical-path.ts';
import { credentials } from '../../../src/sign/credentials.ts';
import { normalizeTarget } from '../../../src/sign/normal-form.ts';
import { signHead } from '../../../src/sign/sign-head.ts';
import { signableHeaders } from '../../../src/sign/signable-headers.ts';
import { aws4Opinion } from '../../support/aws4-opinion.ts';

interface Generated {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly query: string | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  readonly sessionToken: string | null;
  readonly time: number;
}

const unit = fc.constantFrom(
  ...['a', 'Z', '0', '-', '.', '_', '~', '+', '*', "'", '(', ')', '!', '$', '&', ',', '=', ':', '@'],
  ...['%20', '%2B', '%C3%A4', '%E2%82%AC', '%F0%9F%98%80', '%22', '%7B', '%5B', '%26', '%3D', '%40'],
);
const segment = fc.string({ unit, minLength: 1, maxLength: 8 }).filter((text) => !/^(\.|%20)*$/.test(text));
const path = fc
  .tuple(fc.array(segment, { maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);

const queryUnit = fc.constantFrom(
  ...['a', 'Z', '0', '-', '.', '_', '~', '+', '*', "'", '(', ')', '!', '$', ',', ':', '@', '/', '?'],
  ...['%20', '%2B', '%C3%A4', '%E2%82%AC', '%26', '%3D', '%25', '%00'],
);
const queryText = fc.string({ unit: queryUnit, minLength: 1, maxLength: 6 });
const parameter = fc.oneof(
  queryText,
  queryText.map((name) => `${name}=`),
  fc.tuple(queryText, queryText).map(([name, value]) => `${name}=${value}`),
);
const query = fc.option(fc.array(parameter, { minLength: 1, maxLength: 6 }).map((all) => all.join('&')));

const headerName = fc
  .string({ unit: fc.constantFrom(...'abcxyz0123456789-'), minLength: 1, maxLength: 10 })
  .map((name) => `x-${name}`);
const headerValue = fc
  .string({ unit: fc.constantFrom(...'abc XYZ019=;,"/+ '), maxLength: 20 })
  .map((text) => text.trim());

const request: fc.Arbitrary<Generated> = fc.record({
  service: fc.constantFrom('s3', 'execute-api', 'dynamodb', 'es', 's3', 'lambda'),
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'),
  path,
  query,
  headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 6 }),
  body: fc.uint8Array({ maxLength: 64 }),
  sessionToken: fc.option(fc.base64String({ minLength: 20, maxLength: 60 })),
  time: fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2060, 0, 1) }),
});

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

/** The request as it goes out: what a client sent, made canonical, normalized, signed; null: it is refused. */
function send(given: Generated): ArrivedHead | null {
  const canonical = canonicalizePath(given.path);
  if (canonical === null) return null;
  const s3 = given.service === 's3';
  const normal = normalizeTarget(
    given.query === null ? canonical.path : `${canonical.path}?${given.query}`,
    s3,
  );
  if (normal === null) return null;
  const sent = [['host', 'api.example.com:8443'], ...given.headers].flat();
  const headers = signableHeaders(sent);
  signHead(
    {
      ...normal,
      method: given.method,
      headers,
      payloadHash: createHash('sha256').update(given.body).digest('hex'),
      service: given.service,
      region: 'eu-central-1',
      s3,
      time: given.time,
    },
    credentials('AKIDEXAMPLE', SECRET, given.sessionToken, Number.POSITIVE_INFINITY),
  );
  return { method: given.method, target: normal.target, headers: [...headers] };
}

function verdictOf(given: Generated, head: ArrivedHead): string {
  const verifier = createSignatureVerifier({
    now: () => given.time,
    credentialsOf: () => ({ secretAccessKey: SECRET, sessionToken: given.sessionToken }),
  });
  const verdict = verifier.verify(head);
  if (!verdict.valid) return verdict.reason;
  verdict.payload.update(Buffer.from(given.body));
  return verdict.payload.end()?.reason ?? 'ok';
}

describe('our signature', () => {
  it('is that of aws4, byte for byte', () => {
    let compared = 0;
    fc.assert(
      fc.property(request, (given) => {
        const head = send(given);
        if (head === null) return;
        const opinion = aws4Opinion(head, SECRET);
        if (opinion === undefined) return;
        compared += 1;
        const [, ours] = head.headers.find(([name]) => name === 'authorization') ?? [];
        expect(ours).toBe(opinion);
      }),
      { numRuns: 1000 },
    );
    // What aws4 reads in its own way is left out; most is not.
    expect(compared).toBeGreaterThan(600);
  });

  it('is accepted by a verifier that starts from the bytes that arrived', () => {
    fc.assert(
      fc.property(request, (given) => {
        const head = send(given);
        if (head !== null) expect(verdictOf(given, head)).toBe('ok');
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused once anything that was signed is changed', () => {
    const mutations: readonly ((head: ArrivedHead) => ArrivedHead)[] = [
      (head) => ({ ...head, method: head.method === 'GET' ? 'POST' : 'GET' }),
      (head) => ({ ...head, target: head.target.replace(/^\/[^?]*/, (path) => `${path}x`) }),
      (head) => ({ ...head, target: `${head.target}${head.target.includes('?') ? '&' : '?'}added=1` }),
      ...['host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'authorization'].map(
        (changed) => (head: ArrivedHead) => ({
          ...head,
          headers: head.headers.map(([name, value]) =>
            name === changed ? ([name, changeLast(value)] as const) : ([name, value] as const),
          ),
        }),
      ),
    ];
    fc.assert(
      fc.property(request, fc.constantFrom(...mutations), (given, mutate) => {
        const head = send(given);
        if (head === null) return;
        const changed = mutate(head);
        if (JSON.stringify(changed) !== JSON.stringify(head))
          expect(verdictOf(given, changed)).not.toBe('ok');
      }),
      { numRuns: 500 },
    );
  });
});

function changeLast(value: string): string {
  return `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`;
}
