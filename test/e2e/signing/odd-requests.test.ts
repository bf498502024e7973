import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../support/fake-clock.ts';
import { bearer } from '../../support/proxy.ts';
import { openRaw, type RawResponse } from '../../support/raw-http.ts';
import { runOut } from '../../support/run-out.ts';
import { type SigningStack, startSigningStack } from '../../support/signing-stack.ts';
import { codeIn, useSigningStack } from '../../support/use-signing-stack.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const permit: ('%2F' | '%25' | '%23' | '%3F' | ';' | '//')[] = ['%2F', '%25', '%23', '%3F', ';', '//'];
const routes = [
  {
    id: 'signed',
    match: { path: '/permissive/{proxy+}', permit },
    allow: 'optional' as const,
    upstream: 'signed',
  },
  { id: 'strict', match: { path: '/{proxy+}' }, allow: 'optional' as const, upstream: 'signed' },
];
const server = { limits: { bufferBytes: 1000, bufferTotalBytes: 1500 }, timeouts: { bodyIdle: '300ms' } };

const api = useSigningStack({ server, config: { routes } });
const s3 = useSigningStack({ server, config: { routes }, sign: { service: 's3' } });
const unsigned = useSigningStack({ server, sign: { service: 's3', payload: 'unsigned' } });
const stream = useSigningStack({ server, sign: { service: 's3', payload: 'stream' } });

type Stack = () => SigningStack;

function send(
  stack: Stack,
  requestLine: string,
  headers: readonly string[] = [],
  body = '',
): Promise<RawResponse> {
  const { proxy, idToken } = stack();
  return proxy.request(`${requestLine} HTTP/1.1`, [bearer(idToken()), ...headers], body);
}

/** Nothing that arrived anywhere was unsigned, altered or judged differently by aws4. */
function expectNothingUnsigned(): void {
  for (const stack of [api, s3, unsigned, stream]) {
    for (const request of stack().upstream.requests) expect(request.verdict, request.target).toBe('ok');
  }
}

describe('a target that software reads in several ways', () => {
  it.each<[string, Stack, string, string]>([
    ['an encoded space', api, '/a%20b', '/a%20b'],
    ['an encoded space in a key', s3, '/a%20b', '/a%20b'],
    ['a plus sign', api, '/a+b', '/a+b'],
    ['a plus sign in a key', s3, '/a+b', '/a%2Bb'],
    ['encoded UTF-8 in lower case', s3, '/%c3%a4', '/%C3%A4'],
    ['an asterisk', api, '/logs-*/_search', '/logs-*/_search'],
    ['an asterisk in a key', s3, '/a*b', '/a%2Ab'],
    ['a tilde', s3, '/~a', '/~a'],
    ['an encoded tilde', s3, '/%7Ea', '/~a'],
    ['every reserved character', api, "/!$&'()*,:=@", "/!$&'()*,:=@"],
    ['every reserved character in a key', s3, "/!$&'()*,:=@", '/%21%24%26%27%28%29%2A%2C%3A%3D%40'],
    ['characters that are not allowed raw', api, '/"<>[]^`{|}', '/%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ['a slash at the end', api, '/a/', '/a/'],
    ['an encoded slash, permitted', api, '/permissive/a%2Fb', '/permissive/a%2Fb'],
    ['an encoded slash in a key, permitted', s3, '/permissive/a%2Fb', '/permissive/a%2Fb'],
    ['an encoded percent sign in a key, permitted', s3, '/permissive/a%252Fb', '/permissive/a%252Fb'],
    ['an encoded question mark, permitted', s3, '/permissive/a%3Fb=c', '/permissive/a%3Fb%3Dc'],
    ['a semicolon, permitted', s3, '/permissive/a;b', '/permissive/a%3Bb'],
    ['an empty segment, permitted', api, '/permissive/a//b', '/permissive/a//b'],
    ['an empty segment in a key, permitted', s3, '/permissive/a//b', '/permissive/a//b'],
    ['no query', api, '/a?', '/a'],
    ['a key without a value', s3, '/a?acl', '/a?acl'],
    ['a key with an empty value', s3, '/a?acl=', '/a?acl='],
    ['an empty key', api, '/a?=x', '/a?=x'],
    ['a repeated key', api, '/a?b=2&b=1&b=2&a', '/a?b=2&b=1&b=2&a'],
    ['a repeated key, for S3', s3, '/a?b=2&b=1', '/a?b=2&b=1'],
    ['keys out of order', api, '/a?c=1&a=2&B=3', '/a?c=1&a=2&B=3'],
    ['an empty piece', api, '/a?b&&c', '/a?b&c'],
    ['a plus sign in a query', api, '/a?q=x+y', '/a?q=x%20y'],
    ['an encoded plus sign in a query', api, '/a?q=x%2By', '/a?q=x%2By'],
    ['reserved characters in a query', api, "/a?q=!'()*/:@,$", '/a?q=%21%27%28%29%2A%2F%3A%40%2C%24'],
    ['an encoded NUL in a query', api, '/a?q=%00', '/a?q=%00'],
    [
      'a presigned query',
      s3,
      '/a?x=1&X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Date=D&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature=S',
      '/a?x=1',
    ],
    ['a stolen session token in the query', api, '/a?X-Amz-Security-Token=stolen', '/a'],
    ['an old presigned query', s3, '/a?AWSAccessKeyId=A&Signature=S&Expires=1&x=1', '/a?x=1'],
  ])('%s arrives in one form, signed', async (_name, stack, target, arrived) => {
    const answer = await send(stack, `GET ${target}`);
    expect(answer.status, answer.text).toBe(200);
    expect(stack().upstream.last.target).toBe(arrived);
    expectNothingUnsigned();
  });

  it.each<[string, string, number, string]>([
    ['an encoded slash', '/a%2Fb', 400, 'REQUEST_PATH_AMBIGUOUS'],
    ['an empty segment', '/a//b', 400, 'REQUEST_PATH_AMBIGUOUS'],
    ['dot segments', '/a/../b', 400, 'REQUEST_PATH_AMBIGUOUS'],
    ['a semicolon', '/a;b', 400, 'REQUEST_PATH_AMBIGUOUS'],
    ['a query that is not encoded', '/a?q=%zz', 400, 'SIGN_QUERY_UNSUPPORTED'],
    ['a query that is not UTF-8', '/a?q=%ff', 400, 'SIGN_QUERY_UNSUPPORTED'],
    ['a query with half a surrogate', '/a?q=%ed%a0%80', 400, 'SIGN_QUERY_UNSUPPORTED'],
    ['raw bytes in a path', '/\xc3\xa4', 400, 'REQUEST_MALFORMED'],
    ['raw bytes in a query', '/a?q=\xc3\xa4', 400, 'REQUEST_MALFORMED'],
    ['a parameter that the signing library loses', '/a?__proto__=1', 400, 'SIGN_QUERY_UNSUPPORTED'],
  ])('%s is refused', async (_name, target, status, code) => {
    const before = api().upstream.requests.length;
    const answer = await send(api, `GET ${target}`);
    expect(answer.status).toBe(status);
    expect(codeIn(answer)).toBe(code);
    expect(api().upstream.requests.length).toBe(before);
  });
});

describe('headers', () => {
  it.each<[string, readonly string[], string, string | undefined]>([
    ['with inner spaces', ['X-A: a   b\t c'], 'x-a', 'a   b\t c'],
    ['that are repeated', ['X-A: 1', 'X-B: x', 'X-A: 2', 'X-A: 1'], 'x-a', '1, 2, 1'],
    ['that are empty', ['X-A:'], 'x-a', ''],
    ['that are not ASCII', ['X-Amz-Meta-A: \xc3\xa4\xff'], 'x-amz-meta-a', '\xc3\xa4\xff'],
    ['with commas and quotes', ['X-A: "a, b";c=d'], 'x-a', '"a, b";c=d'],
    [
      'that say what to do',
      ['X-Amz-Target: DynamoDB_20120810.GetItem'],
      'x-amz-target',
      'DynamoDB_20120810.GetItem',
    ],
    ['that ask for a part', ['Range: bytes=0-9'], 'range', 'bytes=0-9'],
    ['of cookies that are repeated', ['Cookie: a=1', 'Cookie: b=2'], 'cookie', 'a=1; b=2'],
    ['that date the request', ['Date: Mon, 01 Jan 2001 00:00:00 GMT'], 'date', undefined],
    [
      'that date a signature',
      ['X-Amz-Date: 20010101T000000Z'],
      'x-amz-date',
      expect.stringMatching(/^20[2-9]\d/) as string,
    ],
    ['with an underscore', ['X_Amz_Date: 20010101T000000Z'], 'x_amz_date', undefined],
    [
      'with a session token',
      ['X-Amz-Security-Token: stolen'],
      'x-amz-security-token',
      expect.not.stringContaining('stolen') as string,
    ],
    [
      'with a hash that is none, without a body',
      ['X-Amz-Content-Sha256: nonsense'],
      'x-amz-content-sha256',
      sha256(''),
    ],
    [
      'that Connection names',
      ['Connection: X-Amz-Date, X-Amz-Target', 'X-Amz-Target: x'],
      'x-amz-target',
      undefined,
    ],
    [
      'that Connection names, of ours',
      ['Connection: X-Amz-Date, Authorization, Host'],
      'x-amz-date',
      expect.stringMatching(/Z$/) as string,
    ],
    ['that ask for trailers', ['TE: trailers'], 'connection', 'TE'],
    ['named like a prototype', ['__proto__: x', 'constructor: y'], 'constructor', 'y'],
    ['with numbers for names', ['1: one', '0: zero'], '1', 'one'],
  ])('%s arrive in one form, signed', async (_name, headers, name, value) => {
    const sent = headers.some((line) => /^connection:/i.test(line) && /authorization/i.test(line))
      ? []
      : headers;
    const answer = await send(api, 'GET /a', sent);
    expect(answer.status, answer.text).toBe(200);
    expect(api().upstream.last.header(name)).toEqual(value);
    expectNothingUnsigned();
  });

  it('with a signature of the client on a route for guests are refused as a token', async () => {
    const { proxy, upstream } = api();
    const before = upstream.requests.length;
    const answer = await proxy.request('GET /a HTTP/1.1', [
      `Authorization: AWS4-HMAC-SHA256 Credential=AKID/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    ]);
    expect(answer.status).toBe(401);
    expect(codeIn(answer)).toBe('AUTHN_SCHEME_UNSUPPORTED');
    expect(upstream.requests.length).toBe(before);
  });
});

const chunkedBody = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked';
const awsChunked = (length: number): string[] => [
  'Content-Encoding: aws-chunked',
  `X-Amz-Decoded-Content-Length: ${length}`,
  'X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER',
];
const HELLO_FRAMED = '5\r\nhello\r\n0\r\n\r\n';
const HELLO_TRAILED = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';
const big = 'x'.repeat(2000);

describe('a body', () => {
  it.each<[string, Stack, readonly string[], string, string, string]>([
    ['with a length', api, [], 'hello', 'hello', sha256('hello')],
    ['in chunks', api, [CHUNKED], chunkedBody('hello'), 'hello', sha256('hello')],
    ['in chunks, empty', api, [CHUNKED], '0\r\n\r\n', '', sha256('')],
    [
      'whose hash is right',
      api,
      [`X-Amz-Content-Sha256: ${sha256('hello')}`],
      'hello',
      'hello',
      sha256('hello'),
    ],
    [
      'said not to be signed',
      api,
      ['X-Amz-Content-Sha256: UNSIGNED-PAYLOAD'],
      'hello',
      'hello',
      sha256('hello'),
    ],
    [
      'too large to hold, whose hash is right',
      api,
      [`X-Amz-Content-Sha256: ${sha256(big)}`],
      big,
      big,
      sha256(big),
    ],
    ['in aws-chunked', s3, awsChunked(5), HELLO_FRAMED, 'hello', sha256('hello')],
    [
      'in aws-chunked that does not say how long it is',
      s3,
      ['Content-Encoding: aws-chunked'],
      HELLO_FRAMED,
      'hello',
      sha256('hello'),
    ],
    [
      'in aws-chunked in chunks',
      s3,
      [CHUNKED, ...awsChunked(5)],
      chunkedBody(HELLO_FRAMED),
      'hello',
      sha256('hello'),
    ],
    [
      'in aws-chunked with a checksum',
      s3,
      [...awsChunked(5), 'X-Amz-Trailer: x-amz-checksum-crc32'],
      HELLO_TRAILED,
      'hello',
      sha256('hello'),
    ],
    ['to pass unsigned', unsigned, [], big, big, 'UNSIGNED-PAYLOAD'],
    ['to pass unsigned, in aws-chunked', unsigned, awsChunked(5), HELLO_FRAMED, 'hello', 'UNSIGNED-PAYLOAD'],
    [
      'to pass unsigned, with a checksum',
      unsigned,
      [...awsChunked(5), 'X-Amz-Trailer: x-amz-checksum-crc32'],
      HELLO_TRAILED,
      'hello',
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    ],
    [
      'to pass unsigned, whose hash is right',
      unsigned,
      [`X-Amz-Content-Sha256: ${sha256(big)}`],
      big,
      big,
      sha256(big),
    ],
    ['to be signed as it passes', stream, [], big, big, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
    [
      'to be signed as it passes, in aws-chunked',
      stream,
      [CHUNKED, ...awsChunked(5)],
      chunkedBody(HELLO_FRAMED),
      'hello',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    ],
    [
      'to be signed as it passes, with a checksum',
      stream,
      [...awsChunked(5), 'X-Amz-Trailer: X-Amz-Checksum-Crc32'],
      HELLO_TRAILED,
      'hello',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    ],
    [
      'to be signed as it passes, whose hash is right',
      stream,
      [`X-Amz-Content-Sha256: ${sha256(big)}`],
      big,
      big,
      sha256(big),
    ],
  ])('%s arrives whole, signed', async (_name, stack, headers, body, content, contentHash) => {
    const answer = await send(stack, 'PUT /a', headers, body);
    expect(answer.status, answer.text).toBe(200);
    const { last } = stack().upstream;
    expect(last.header('x-amz-content-sha256')).toBe(contentHash);
    expect(last.contentHash).toBe(sha256(content));
    expect(last.contentLength).toBe(content.length);
    expect(last.header('content-length')).toBe(String(last.bodyLength));
    expect(last.header('transfer-encoding')).toBeUndefined();
    expectNothingUnsigned();
  });

  it('keeps what else its encoding was, and the checksum that followed it', async () => {
    const headers = [
      ...awsChunked(5).slice(1),
      'Content-Encoding: gzip, aws-chunked',
      'X-Amz-Trailer: x-amz-checksum-crc32',
    ];
    await send(s3, 'PUT /a', headers, HELLO_TRAILED);
    expect(s3().upstream.last.header('content-encoding')).toBe('gzip');
    expect(s3().upstream.last.header('x-amz-checksum-crc32')).toBe('NhCmhg==');
    expect(s3().upstream.last.header('x-amz-trailer')).toBeUndefined();
    await send(stream, 'PUT /a', headers, HELLO_TRAILED);
    expect(stream().upstream.last.header('content-encoding')).toBe('aws-chunked, gzip');
    expect(stream().upstream.last.header('x-amz-trailer')).toBe('x-amz-checksum-crc32');
  });

  it.each<[string, Stack, readonly string[], string, number, string]>([
    [
      'whose hash is wrong',
      api,
      [`X-Amz-Content-Sha256: ${sha256('other')}`],
      'hello',
      400,
      'SIGN_PAYLOAD_MISMATCH',
    ],
    ['too large to hold', api, [], big, 413, 'SIGN_BODY_TOO_LARGE'],
    ['too large to hold, in chunks', api, [CHUNKED], chunkedBody(big), 413, 'SIGN_BODY_TOO_LARGE'],
    [
      'too large to hold, in aws-chunked',
      s3,
      awsChunked(2000),
      `7d0\r\n${big}\r\n0\r\n\r\n`,
      413,
      'SIGN_BODY_TOO_LARGE',
    ],
    ['in broken aws-chunked', s3, awsChunked(5), '5\r\nhello!\r\n0\r\n\r\n', 400, 'SIGN_CHUNKS_INVALID'],
    ['in aws-chunked that ends early', s3, awsChunked(5), '5\r\nhello\r\n', 400, 'SIGN_CHUNKS_INVALID'],
    ['in aws-chunked that is longer than said', s3, awsChunked(4), HELLO_FRAMED, 400, 'SIGN_CHUNKS_INVALID'],
    ['in aws-chunked that is shorter than said', s3, awsChunked(6), HELLO_FRAMED, 400, 'SIGN_CHUNKS_INVALID'],
    [
      'in aws-chunked whose length is no number',
      s3,
      ['Content-Encoding: aws-chunked', 'X-Amz-Decoded-Content-Length: many'],
      HELLO_FRAMED,
      400,
      'SIGN_CHUNKS_INVALID',
    ],
    [
      'in aws-chunked with a trailer nobody knows',
      s3,
      [...awsChunked(5), 'X-Amz-Trailer: x-amz-meta-a'],
      HELLO_FRAMED,
      400,
      'SIGN_CHUNKS_INVALID',
    ],
    ...[
      ['a control character in its checksum', 'a\x01b'],
      ['a lone CR in its checksum', 'NhCm\rg=='],
      ['a checksum too short', 'NhC'],
    ].flatMap(([what = '', checksum = '']) =>
      [s3, stream, unsigned].map((stack, i): [string, Stack, readonly string[], string, number, string] => [
        `in aws-chunked with ${what} (${i})`,
        stack,
        [...awsChunked(5), 'X-Amz-Trailer: x-amz-checksum-crc32'],
        HELLO_TRAILED.replace('NhCmhg==', checksum),
        400,
        'SIGN_CHUNKS_INVALID',
      ]),
    ),
    ['in aws-chunked that is none', s3, awsChunked(5), 'hello', 400, 'SIGN_CHUNKS_INVALID'],
    [
      'of unknown length, to pass unsigned',
      unsigned,
      [CHUNKED],
      chunkedBody('hello'),
      411,
      'SIGN_LENGTH_REQUIRED',
    ],
    [
      'of unknown length, to be signed as it passes',
      stream,
      [CHUNKED],
      chunkedBody('hello'),
      411,
      'SIGN_LENGTH_REQUIRED',
    ],
    [
      'of unknown decoded length',
      stream,
      ['Content-Encoding: aws-chunked'],
      HELLO_FRAMED,
      411,
      'SIGN_LENGTH_REQUIRED',
    ],
    [
      'framed in two ways',
      api,
      [CHUNKED, 'Content-Length: 5'],
      chunkedBody('hello'),
      400,
      'REQUEST_MALFORMED',
    ],
    ['with two lengths', api, ['Content-Length: 5', 'Content-Length: 6'], '', 400, 'REQUEST_MALFORMED'],
  ])('%s is refused, and does not arrive', async (_name, stack, headers, body, status, code) => {
    const before = stack().upstream.requests.length;
    const answer = await send(stack, 'PUT /a', headers, body);
    expect(answer.status, answer.text).toBe(status);
    expect(codeIn(answer)).toBe(code);
    expect(stack().upstream.requests.length).toBe(before);
  });

  it.each<[string, Stack, readonly string[], string, string]>([
    [
      'too large to hold, whose hash is wrong',
      api,
      [`X-Amz-Content-Sha256: ${sha256('other')}`],
      big,
      'SIGN_PAYLOAD_MISMATCH',
    ],
    [
      'to be signed as it passes, in broken aws-chunked',
      stream,
      awsChunked(2000),
      `7d0\r\n${big}!\r\n0\r\n\r\n`,
      'SIGN_CHUNKS_INVALID',
    ],
    [
      'to pass unsigned, in broken aws-chunked',
      unsigned,
      awsChunked(2000),
      `7d0\r\n${big}!\r\n0\r\n\r\n`,
      'SIGN_CHUNKS_INVALID',
    ],
  ])('%s never arrives whole', async (_name, stack, headers, body, code) => {
    const before = stack().upstream.requests.length;
    const answer = await send(stack, 'PUT /a', headers, body);
    expect(answer.status, answer.text).toBe(400);
    expect(codeIn(answer)).toBe(code);
    expect(stack().upstream.requests.length).toBe(before);
  });

  it.each<[string, Stack]>([
    ['held', api],
    ['signed as it passes', stream],
    ['passed unsigned', unsigned],
  ])('that its client abandons is not sent whole: %s', async (_name, stack) => {
    const { proxy, upstream, idToken } = stack();
    const before = upstream.requests.length;
    const connection = await openRaw(proxy.origin);
    connection.send(
      `PUT /a HTTP/1.1\r\nHost: a\r\n${bearer(idToken())}\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect((await connection.head()).status).toBe(100);
    connection.send('only a part');
    connection.reset();
    // The line of the access log is written once all is over.
    await expect.poll(() => proxy.log.filter((line) => line['status'] === 499).length).toBeGreaterThan(0);
    expect(upstream.requests.length).toBe(before);
  });

  it('that moves may take minutes over the body that is hashed', async () => {
    const clock = createFakeClock(Date.now());
    const { proxy, idToken, upstream, stop } = await startSigningStack({ clock });
    try {
      const connection = await openRaw(proxy.origin);
      const lines = ['POST /items HTTP/1.1', 'Host: a', bearer(idToken()), 'Content-Length: 6'];
      connection.send([...lines, 'Expect: 100-continue', '', ''].join('\r\n'));
      expect((await connection.head()).status).toBe(100);
      for (const byte of 'slowly') {
        clock.advance(25_000);
        connection.send(byte);
        // What is on its way has arrived when others have gone and come back.
        for (let i = 0; i < 20; i++) await proxy.request('GET /others HTTP/1.1');
      }
      expect((await connection.response()).status).toBe(200);
      expect(upstream.last).toMatchObject({ verdict: 'ok', contentLength: 6 });
      connection.close();
    } finally {
      await runOut(clock, stop());
    }
  });

  it('that stops moving is given up', async () => {
    const { proxy, upstream, idToken } = api();
    const before = upstream.requests.length;
    const connection = await openRaw(proxy.origin);
    connection.send(`PUT /a HTTP/1.1\r\nHost: a\r\n${bearer(idToken())}\r\nContent-Length: 500\r\n\r\npart`);
    const answer = await connection.response();
    expect(answer.status).toBe(408);
    expect(codeIn(answer)).toBe('REQUEST_TIMEOUT');
    expect(upstream.requests.length).toBe(before);
    connection.close();
  });

  it('finds no room where others are held already', async () => {
    const { proxy, idToken } = api();
    const head = `PUT /a HTTP/1.1\r\nHost: a\r\n${bearer(idToken())}\r\nContent-Length: 900\r\n`;
    const first = await openRaw(proxy.origin);
    first.send(`${head}Expect: 100-continue\r\n\r\n`);
    expect((await first.head()).status).toBe(100);
    const second = await openRaw(proxy.origin);
    second.send(`${head}\r\n`);
    const refused = await second.response();
    expect(refused.status).toBe(503);
    expect(codeIn(refused)).toBe('LIMIT_BUFFER');
    expect(refused.header('retry-after')).toBe('1');
    first.send('x'.repeat(900));
    expect((await first.response()).status).toBe(200);
    // Once its request is over there is room again.
    first.send(`${head}\r\n${'x'.repeat(900)}`);
    expect((await first.response()).status).toBe(200);
    first.close();
    second.close();
  });

  it('is asked for once the caller has credentials, and once only', async () => {
    const { proxy, idToken } = api();
    const connection = await openRaw(proxy.origin);
    connection.send(
      `PUT /a HTTP/1.1\r\nHost: a\r\n${bearer(idToken())}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect((await connection.head()).status).toBe(100);
    connection.send('hello');
    const answer = await connection.response();
    expect(answer.status, answer.text).toBe(200);
    expect(answer.interim).toEqual([]);
    connection.send(`PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    const refused = await connection.response();
    expect(refused.status).toBe(401);
    expect(codeIn(refused)).toBe('SIGN_GUEST_REFUSED');
    expect(refused.interim).toEqual([]);
    connection.close();
  });
});
