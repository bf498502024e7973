import { describe, expect, it } from 'vitest';
import { credentials, signingKey } from '../../../src/sign/credentials.ts';
import { hmacKey } from '../../../src/sign/hmac.ts';
import { normalizeTarget } from '../../../src/sign/normal-form.ts';
import { signHead } from '../../../src/sign/sign-head.ts';
import { signableHeaders } from '../../../src/sign/signable-headers.ts';

const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const S3_KEY = credentials(
  'AKIAIOSFODNN7EXAMPLE',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  null,
  Number.POSITIVE_INFINITY,
);

interface Case {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly payloadHash?: string;
}

function signS3({ method, target, headers: sent, payloadHash = EMPTY_HASH }: Case): {
  signature: string;
  names: string;
} {
  const normal = normalizeTarget(target, true);
  if (normal === null) throw new Error('the query cannot be signed');
  const headers = signableHeaders(sent);
  const { signature } = signHead(
    {
      ...normal,
      method,
      headers,
      payloadHash,
      service: 's3',
      region: 'us-east-1',
      s3: true,
      time: Date.UTC(2013, 4, 24),
    },
    S3_KEY,
  );
  return { signature, names: /SignedHeaders=([^,]+)/.exec(headers.get('authorization') ?? '')?.[1] ?? '' };
}

/** "Examples: Signature calculations", Amazon S3 API Reference; there too every header is signed. */
describe("Amazon's own examples", () => {
  it.each<[string, Case, string]>([
    [
      'GET Object',
      {
        method: 'GET',
        target: '/test.txt',
        headers: ['host', 'examplebucket.s3.amazonaws.com', 'range', 'bytes=0-9'],
      },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'GET Bucket Lifecycle',
      { method: 'GET', target: '/?lifecycle', headers: ['host', 'examplebucket.s3.amazonaws.com'] },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'List Objects',
      { method: 'GET', target: '/?max-keys=2&prefix=J', headers: ['host', 'examplebucket.s3.amazonaws.com'] },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s', (_name, request, signature) => {
    expect(signS3(request).signature).toBe(signature);
  });

  it('derive the key', () => {
    // "Examples of how to derive a signing key", AWS General Reference.
    const key = signingKey(
      credentials('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', null, 0),
      '20120215/us-east-1/iam/aws4_request',
    );
    const derived = Buffer.from('f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d', 'hex');
    expect(key).toEqual(hmacKey(derived.toString('latin1')));
  });
});

describe('a signature', () => {
  it('covers what asks for something, not what others on the way may change', () => {
    const sent = [
      'host',
      'content-type',
      'x-amz-meta-a',
      'range',
      'if-match',
      'accept',
      'x-custom',
      'cookie',
      // From here on: not signed.
      'accept-encoding',
      'baggage',
      'connection',
      'expect',
      'forwarded',
      'proxy-authorization',
      'sec-websocket-key',
      'te',
      'traceparent',
      'tracestate',
      'transfer-encoding',
      'upgrade',
      'user-agent',
      'via',
      'x-amzn-trace-id',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-request-id',
    ];
    const { names } = signS3({ method: 'GET', target: '/', headers: sent.flatMap((name) => [name, 'v']) });
    expect(names.split(';')).toEqual([...sent.slice(0, 8), 'x-amz-content-sha256', 'x-amz-date'].sort());
  });

  it('is made with a key that is derived once a day for a scope', () => {
    const caller = credentials('A', 's', null, 0);
    const first = signingKey(caller, '20300101/us-east-1/s3/aws4_request');
    expect(signingKey(caller, '20300101/us-east-1/s3/aws4_request')).toBe(first);
    expect(signingKey(caller, '20300102/us-east-1/s3/aws4_request')).not.toEqual(first);
  });

  it('covers the bytes of header values that are not ASCII', () => {
    const latin1 = signS3({ method: 'GET', target: '/', headers: ['host', 'h', 'x-amz-meta-a', '\xe4'] });
    const utf8 = signS3({ method: 'GET', target: '/', headers: ['host', 'h', 'x-amz-meta-a', '\xc3\xa4'] });
    expect(latin1.signature).not.toBe(utf8.signature);
  });
});
