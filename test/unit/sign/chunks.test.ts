import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RefusalError } from '../../../src/core/refusal.ts';
import { credentials, signingKey } from '../../../src/sign/credentials.ts';
import { type ChunkedBody, createChunkDecoder, decodeChunks } from '../../../src/sign/decode-chunks.ts';
import { type Chunking, encodeChunks, encodedLength } from '../../../src/sign/encode-chunks.ts';
import type { HeadSignature } from '../../../src/sign/sign-head.ts';

const SCOPE = '20130524/us-east-1/s3/aws4_request';
const CONTENT = 'a'.repeat(65 * 1024);

/** The head of Amazon's example, which begins the chain of signatures. */
function head(signature: string): HeadSignature {
  const caller = credentials('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', null, 0);
  return { signature, key: signingKey(caller, SCOPE), date: '20130524T000000Z', scope: SCOPE };
}

async function encode(
  content: string | Buffer,
  chunking: Chunking,
  seed: HeadSignature | null,
  trailerValue = '',
  pieceBytes = 10_000,
): Promise<string> {
  const bytes = Buffer.from(content);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const out: Buffer[] = [];
  for await (const part of encodeChunks(Readable.from(pieces), chunking, seed, () => trailerValue))
    out.push(part);
  return Buffer.concat(out).toString('latin1');
}

async function decode(
  body: string,
  announced: Partial<ChunkedBody> = {},
  pieceBytes = body.length,
): Promise<{ content: string; trailer: string }> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += pieceBytes) {
    pieces.push(Buffer.from(body.slice(at, at + pieceBytes), 'latin1'));
  }
  const decoder = createChunkDecoder({ decodedLength: -1, trailer: null, ...announced });
  const out: Buffer[] = [];
  for await (const part of decodeChunks(Readable.from(pieces, { objectMode: false }), decoder))
    out.push(part);
  return { content: Buffer.concat(out).toString('latin1'), trailer: decoder.trailerValue };
}

describe('a body that is signed chunk by chunk', () => {
  it("is Amazon's example of a payload in multiple chunks", async () => {
    const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
    const body = await encode(CONTENT, { signed: true, trailer: null }, head(seed));
    expect(body).toBe(
      [
        '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
        'a'.repeat(65_536),
        '400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
        'a'.repeat(1024),
        '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
        '',
        '',
      ].join('\r\n'),
    );
    expect(body.length).toBe(66_824);
  });

  it("is Amazon's example of a trailing checksum", async () => {
    const seed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
    const chunking = { signed: true, trailer: 'x-amz-checksum-crc32c' };
    const body = await encode(CONTENT, chunking, head(seed), 'sOO8/Q==');
    expect(body).toBe(
      [
        '10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
        'a'.repeat(65_536),
        '400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
        'a'.repeat(1024),
        '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
        'x-amz-checksum-crc32c:sOO8/Q==',
        'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
        '',
        '',
      ].join('\r\n'),
    );
  });

  it('has frames without signatures where only a trailer asks for frames', async () => {
    const body = await encode('hello', { signed: false, trailer: 'x-amz-checksum-crc32' }, null, 'NhCmhg==');
    expect(body).toBe('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n');
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])(
    'is as long as was announced, and decodes to what it was: %i bytes',
    async (length) => {
      const content = Buffer.alloc(length, 'xyz');
      for (const pieceBytes of [1000, 65_536, 100_000]) {
        for (const chunking of [
          { signed: true, trailer: null },
          { signed: true, trailer: 'x-amz-checksum-sha256' },
          { signed: false, trailer: 'x-amz-checksum-crc64nvme' },
        ]) {
          const value = chunking.trailer === 'x-amz-checksum-sha256' ? 's'.repeat(44) : 'c'.repeat(12);
          const body = await encode(
            content,
            chunking,
            chunking.signed ? head('0'.repeat(64)) : null,
            value,
            pieceBytes,
          );
          expect(body.length).toBe(encodedLength(length, chunking));
          const decoded = await decode(body, { decodedLength: length, trailer: chunking.trailer }, 999);
          expect(decoded.content).toBe(content.toString('latin1'));
          expect(decoded.trailer).toBe(chunking.trailer === null ? '' : value);
        }
      }
    },
  );
});

describe('an aws-chunked body of a client', () => {
  it.each<[string, string, Partial<ChunkedBody>, string]>([
    ['without signatures', '5\r\nhello\r\n0\r\n\r\n', {}, 'hello'],
    [
      'with signatures',
      `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0;chunk-signature=${'1'.repeat(64)}\r\n\r\n`,
      {},
      'hello',
    ],
    ['in several chunks', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', { decodedLength: 5 }, 'hello'],
    [
      'with sizes in upper case and padded',
      '00A\r\n0123456789\r\n0\r\n\r\n',
      { decodedLength: 10 },
      '0123456789',
    ],
    ['whose content looks like framing', '7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n', {}, '0\r\n\r\n0\r'],
    ['with nothing in it', '0\r\n\r\n', { decodedLength: 0 }, ''],
    ['without the last empty line', '5\r\nhello\r\n0\r\n', { decodedLength: 5 }, 'hello'],
  ])('%s', async (_name, body, announced, content) => {
    for (const pieceBytes of [1, 3, body.length]) {
      expect((await decode(body, announced, pieceBytes)).content).toBe(content);
    }
  });

  it('has its trailer read, and the signature of it left out', async () => {
    const announced = { trailer: 'x-amz-checksum-crc32', decodedLength: 5 };
    const body = `5\r\nhello\r\n0\r\nX-Amz-Checksum-Crc32: NhCmhg==\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`;
    expect(await decode(body, announced, 7)).toEqual({ content: 'hello', trailer: 'NhCmhg==' });
  });

  it.each<[string, string, Partial<ChunkedBody>]>([
    ['a size that is no number', 'x\r\nhello\r\n0\r\n\r\n', {}],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n', {}],
    ['no size', '\r\nhello\r\n0\r\n\r\n', {}],
    ['a size of nine digits', '100000005\r\nhello\r\n0\r\n\r\n', {}],
    ['another extension', '5;a=b\r\nhello\r\n0\r\n\r\n', {}],
    ['a signature that is none', '5;chunk-signature=xyz\r\nhello\r\n0\r\n\r\n', {}],
    ['a bare LF', '5\nhello\n0\n\n', {}],
    ['a chunk longer than it says', '5\r\nhello!\r\n0\r\n\r\n', {}],
    ['a chunk shorter than it says', '6\r\nhello\r\n0\r\n\r\n', {}],
    ['an end in the middle of a chunk', '5\r\nhel', {}],
    ['an end in the middle of a line', '5\r\nhello\r\n0', {}],
    ['no last chunk', '5\r\nhello\r\n', {}],
    ['no body at all', '', {}],
    ['bytes after the end', '5\r\nhello\r\n0\r\n\r\nx', {}],
    ['a line without an end', 'a'.repeat(300), {}],
    ['more than was announced', '5\r\nhello\r\n0\r\n\r\n', { decodedLength: 4 }],
    ['less than was announced', '5\r\nhello\r\n0\r\n\r\n', { decodedLength: 6 }],
    ['a trailer that was not announced', '0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', {}],
    [
      'another trailer than was announced',
      '0\r\nx-amz-meta-a:1\r\n\r\n',
      { trailer: 'x-amz-checksum-crc32' },
    ],
    [
      'a trailer twice',
      '0\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      { trailer: 'x-amz-checksum-crc32' },
    ],
    ...[
      ['a control character in it', 'AAA\x01AA=='],
      ['a lone CR in it', 'AAAA\rA=='],
      ['a tab in it', 'AAA\tAA=='],
      ['a byte beyond ASCII in it', 'AAAA\xe9A=='],
      ['a space of Latin-1 around it', '\xa0AAAAAA=='],
      ['other base64', 'AAA-_A=='],
      ['padding in the middle', 'AA==AA=='],
      ['one character too few', 'AAAAAA='],
      ['one character too many', 'AAAAAAA=='],
      ['nothing in it', ''],
    ].map(
      ([what, value]) =>
        [
          `a trailer with ${what}`,
          `0\r\nx-amz-checksum-crc32:${value}\r\n\r\n`,
          { trailer: 'x-amz-checksum-crc32' },
        ] as [string, string, Partial<ChunkedBody>],
    ),
    ['an announced trailer that does not come', '0\r\n\r\n', { trailer: 'x-amz-checksum-crc32' }],
  ])('with %s is refused', async (_name, body, announced) => {
    for (const pieceBytes of [1, 4, Math.max(1, body.length)]) {
      const error: unknown = await decode(body, announced, pieceBytes).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(RefusalError);
      expect((error as RefusalError).refusal.code).toBe('SIGN_CHUNKS_INVALID');
    }
  });

  it('is not passed on whole before all of it is known to be right', async () => {
    const body = Readable.from([Buffer.from('2\r\nhe\r\n3\r\nllo'), Buffer.from('!\r\n0\r\n\r\n')], {
      objectMode: false,
    });
    const decoder = createChunkDecoder({ decodedLength: 5, trailer: null });
    const passed: string[] = [];
    const reading = (async () => {
      for await (const part of decodeChunks(body, decoder)) passed.push(part.toString());
    })();
    await expect(reading).rejects.toBeInstanceOf(RefusalError);
    expect(passed).toEqual(['he']);
  });
});
