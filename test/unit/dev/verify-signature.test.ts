import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ArrivedHead,
  createSignatureVerifier,
  type SignatureVerifierOptions,
} from '../../../src/dev/verify-signature.ts';

const EMPTY_HASH = createHash('sha256').digest('hex');
const AT = Date.UTC(2013, 4, 24);
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

/** Amazon's own example of a signed request, "GET Object" (Amazon S3 API Reference, "Signature calculations"). */
const GET_OBJECT: ArrivedHead = {
  method: 'GET',
  target: '/test.txt',
  headers: [
    ['Host', 'examplebucket.s3.amazonaws.com'],
    ['Range', 'bytes=0-9'],
    ['x-amz-content-sha256', EMPTY_HASH],
    ['x-amz-date', '20130524T000000Z'],
    [
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
  ],
};

function judge(
  head: ArrivedHead,
  options: Partial<SignatureVerifierOptions> = {},
  body: readonly Buffer[] = [],
): string {
  const verifier = createSignatureVerifier({
    credentialsOf: (id) =>
      id === 'AKIAIOSFODNN7EXAMPLE' ? { secretAccessKey: SECRET, sessionToken: null } : undefined,
    now: () => AT,
    ...options,
  });
  const verdict = verifier.verify(head);
  if (!verdict.valid) return verdict.code;
  for (const part of body) verdict.payload.update(part);
  return verdict.payload.end()?.code ?? 'ok';
}

const header = (name: string, value: string | null): ArrivedHead => ({
  ...GET_OBJECT,
  headers: [
    ...GET_OBJECT.headers.filter(([key]) => key.toLowerCase() !== name.toLowerCase()),
    ...(value === null ? [] : [[name, value] as const]),
  ],
});
const added = (name: string, value: string): ArrivedHead => ({
  ...GET_OBJECT,
  headers: [...GET_OBJECT.headers, [name, value]],
});
const authorization = GET_OBJECT.headers.find(([name]) => name === 'Authorization')?.[1] ?? '';

describe('the judge of signatures', () => {
  it("lets Amazon's own example pass, in whatever order its headers come", () => {
    expect(judge(GET_OBJECT)).toBe('ok');
    expect(judge({ ...GET_OBJECT, headers: [...GET_OBJECT.headers].reverse() })).toBe('ok');
  });

  it.each<[string, ArrivedHead, string]>([
    ['without a signature', header('Authorization', null), 'MissingAuthenticationToken'],
    ['with two', added('Authorization', authorization), 'InvalidArgument'],
    [
      'with one in the query too',
      { ...GET_OBJECT, target: '/test.txt?X-Amz-Signature=0' },
      'InvalidArgument',
    ],
    ['with another scheme', header('Authorization', 'Bearer x'), 'IncompleteSignature'],
    [
      'with a signature cut short',
      header('Authorization', authorization.slice(0, -1)),
      'IncompleteSignature',
    ],
    [
      'of an unknown key',
      header('Authorization', authorization.replace('AKIAIOSFODNN7EXAMPLE', 'AKIDOTHER')),
      'InvalidAccessKeyId',
    ],
    ['without a date', header('x-amz-date', null), 'SignatureDoesNotMatch'],
    ['with a date that is none', header('x-amz-date', '2013-05-24'), 'SignatureDoesNotMatch'],
    ['dated another day than its scope', header('x-amz-date', '20130525T000000Z'), 'SignatureDoesNotMatch'],
    ['with a session token of nobody', added('X-Amz-Security-Token', 'x'), 'InvalidToken'],
    ['without the hash of its content', header('x-amz-content-sha256', null), 'InvalidRequest'],
    ['with a header that should be signed', added('X-Amz-Meta-A', '1'), 'AccessDenied'],
    ['with a type that should be signed', added('Content-Type', 'text/plain'), 'AccessDenied'],
    ['with another method', { ...GET_OBJECT, method: 'HEAD' }, 'SignatureDoesNotMatch'],
    ['with another path', { ...GET_OBJECT, target: '/test.text' }, 'SignatureDoesNotMatch'],
    ['with another query', { ...GET_OBJECT, target: '/test.txt?a' }, 'SignatureDoesNotMatch'],
    ['with another host', header('Host', 'other.s3.amazonaws.com'), 'SignatureDoesNotMatch'],
    ['with another range', header('Range', 'bytes=0-8'), 'SignatureDoesNotMatch'],
    ['with a header twice', added('Range', 'bytes=0-9'), 'SignatureDoesNotMatch'],
    [
      'with its signed headers out of order',
      header('Authorization', authorization.replace('host;range', 'range;host')),
      'SignatureDoesNotMatch',
    ],
    [
      'with another scope',
      header('Authorization', authorization.replace('us-east-1', 'us-west-2')),
      'SignatureDoesNotMatch',
    ],
  ])('refuses a request %s', (_name, head, code) => {
    expect(judge(head)).toBe(code);
  });

  it.each([
    [899_000, 'ok'],
    [-899_000, 'ok'],
    [901_000, 'RequestTimeTooSkewed'],
    [-901_000, 'RequestTimeTooSkewed'],
  ])('forgives S3 fifteen minutes: %i ms is %s', (offset, code) => {
    expect(judge(GET_OBJECT, { now: () => AT + offset })).toBe(code);
  });

  it('refuses credentials that have expired, and scopes that are not its own', () => {
    const expired = () => ({ secretAccessKey: SECRET, sessionToken: null, expiresAt: AT });
    expect(judge(GET_OBJECT, { credentialsOf: expired })).toBe('ExpiredToken');
    expect(judge(GET_OBJECT, { service: 'execute-api' })).toBe('SignatureDoesNotMatch');
    expect(judge(GET_OBJECT, { region: 'eu-west-1' })).toBe('SignatureDoesNotMatch');
    expect(judge(GET_OBJECT, { service: 's3', region: 'us-east-1' })).toBe('ok');
  });

  it('refuses a body that is not the one that was signed', () => {
    expect(judge(GET_OBJECT, {}, [Buffer.from('x')])).toBe('XAmzContentSHA256Mismatch');
  });
});

/** Amazon's own example of a payload in multiple chunks, and of one with a trailing checksum. */
describe('the judge of chunks', () => {
  const chunked = (trailer: boolean): ArrivedHead => ({
    method: 'PUT',
    target: '/examplebucket/chunkObject.txt',
    headers: [
      ['Host', 's3.amazonaws.com'],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['x-amz-content-sha256', `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? '-TRAILER' : ''}`],
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['Content-Length', '66824'],
      ...(trailer ? [['x-amz-trailer', 'x-amz-checksum-crc32c'] as const] : []),
      [
        'Authorization',
        trailer
          ? 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer, Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'
          : 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class, Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      ],
    ],
  });
  const body = (signatures: readonly string[], end: string): string =>
    [
      `10000;chunk-signature=${signatures[0]}\r\n${'a'.repeat(65_536)}`,
      `400;chunk-signature=${signatures[1]}\r\n${'a'.repeat(1024)}`,
      `0;chunk-signature=${signatures[2]}\r\n${end}\r\n`,
    ].join('\r\n');
  const PLAIN = body(
    [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ],
    '',
  );
  const TRAILED = body(
    [
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ],
    'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
  );
  const inPieces = (text: string, size: number): Buffer[] => {
    const bytes = Buffer.from(text, 'latin1');
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    return pieces;
  };

  it.each([100, 1000, 65_536, 1_000_000])(
    "lets Amazon's own examples pass, in pieces of %i bytes",
    (size) => {
      expect(judge(chunked(false), {}, inPieces(PLAIN, size))).toBe('ok');
      expect(judge(chunked(true), {}, inPieces(TRAILED, size))).toBe('ok');
    },
  );

  it.each<[string, boolean, string, string]>([
    ['one byte changed', false, PLAIN.replace('aaa', 'aba'), 'SignatureDoesNotMatch'],
    ['a chunk left out', false, PLAIN.replace(/400;[\s\S]*?(?=0;chunk)/, ''), 'SignatureDoesNotMatch'],
    ['no end', false, PLAIN.slice(0, -2), 'IncompleteBody'],
    ['an end too early', false, PLAIN.slice(0, 40_000), 'IncompleteBody'],
    ['bytes after the end', false, `${PLAIN}x`, 'IncompleteBody'],
    ['a chunk without a signature', false, PLAIN.replace(/;chunk-signature=\w+/, ''), 'IncompleteBody'],
    ['another checksum', true, TRAILED.replace('sOO8', 'sOO9'), 'SignatureDoesNotMatch'],
    ['another trailer', true, TRAILED.replace('crc32c:', 'crc32:'), 'IncompleteBody'],
    ['no trailer', true, TRAILED.replace(/x-amz-checksum[\s\S]*$/, '\r\n'), 'IncompleteBody'],
  ])('refuses a body with %s', (_name, trailer, text, code) => {
    expect(judge(chunked(trailer), {}, inPieces(text, 5000))).toBe(code);
  });
});
