import { systemClock } from '../src/core/system-clock.ts';
import { credentials } from '../src/sign/credentials.ts';
import { normalizeTarget } from '../src/sign/normal-form.ts';
import { signHead } from '../src/sign/sign-head.ts';
import { signableHeaders } from '../src/sign/signable-headers.ts';

// What one signature costs, by itself: node bench/signature.ts. CPU time of this process, garbage collection included.

const ROUNDS = 5;
const SIGNATURES = 20_000;

/** The headers of an ordinary request as they leave. */
const HEADERS = [
  ['host', 'abc123.execute-api.us-east-1.amazonaws.com'],
  ['user-agent', 'Mozilla/5.0'],
  ['accept', 'application/json'],
  ['content-type', 'application/json'],
  ['x-forwarded-for', '203.0.113.7'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'api.example.com'],
  ['forwarded', 'for=203.0.113.7;proto=https;host="api.example.com"'],
  ['x-request-id', '9f1d1f9e-0d0b-4f4c-9a53-0c8f7a1f4f6e'],
  ['x-cognito-sub', '11111111-2222-3333-4444-555555555555'],
  ['x-cognito-username', 'alice'],
  ['x-cognito-groups', 'readers,writers'],
  ['x-cognito-scopes', 'board/read,board/write'],
  ['x-cognito-client', '1example23456789'],
  ['x-cognito-token-use', 'access'],
].flat();
const CONTENT_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

for (const callers of [1, 40, 1_000, 10_000]) {
  const keys = Array.from({ length: callers }, (_, i) =>
    credentials(
      `ASIAEXAMPLE${i}`,
      `secret-${i}`.padEnd(40, 'x'),
      't'.repeat(1_200),
      Number.POSITIVE_INFINITY,
    ),
  );
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < SIGNATURES; i++) signOnce(keys[i % callers] as (typeof keys)[number]);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / SIGNATURES;
  });
  const median = rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  process.stdout.write(`${callers.toLocaleString('en')} callers: ${median.toFixed(1)} µs a signature\n`);
}

function signOnce(caller: ReturnType<typeof credentials>): void {
  const normal = normalizeTarget('/prod/items/123?verbose=1&page=2', false);
  if (normal === null) throw new Error('the query cannot be signed');
  signHead(
    {
      ...normal,
      method: 'POST',
      headers: signableHeaders(HEADERS),
      payloadHash: CONTENT_HASH,
      service: 'execute-api',
      region: 'us-east-1',
      s3: false,
      time: systemClock.now(),
    },
    caller,
  );
}
