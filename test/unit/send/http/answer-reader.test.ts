import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../../../../src/send/http/answer-reader.ts';

interface Read {
  /** What was told, pieces of a body joined. */
  readonly told: readonly unknown[];
  readonly error: string | null;
  readonly expecting: boolean;
}

/** Reads one answer from bytes that come in these pieces, in a buffer that is used again for each of them. */
function read(pieces: readonly string[], { method = 'GET', end = false, stopAt = '' } = {}): Read {
  const told: unknown[] = [];
  const buffer = Buffer.alloc(200_000);
  const kept: Buffer[] = [];
  const tell = (what: string, ...rest: unknown[]): void => {
    told.push([what, ...rest]);
    if (what === stopAt) reader.stop();
  };
  const reader = new AnswerReader({
    interim: ({ status }) => tell('interim', status),
    answered: ({ status }, body) => {
      if (body !== null) kept.push(Buffer.from(body, 'latin1'));
      tell('answered', status);
    },
    received: (piece) => {
      kept.push(piece);
      if (stopAt === 'received') reader.stop();
    },
    ended: (trailers, clean) => tell('ended', trailers, clean),
  });
  reader.expect(method);
  let error: string | null = null;
  try {
    for (const piece of pieces) {
      const length = buffer.write(piece, 'latin1');
      if (reader.expecting) reader.read(buffer.subarray(0, length));
      else told.push(['surplus', piece]);
    }
    if (end) reader.end();
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  told.push(Buffer.concat(kept).toString('latin1'));
  return { told, error, expecting: reader.expecting };
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

/** Answers that are whole, and what is told of each: the bytes, the method, whether the connection ends, what is told. */
const WHOLE: readonly [what: string, bytes: string, method: string, end: boolean, told: unknown[]][] = [
  [
    'a length',
    `${HEAD}Content-Length: 5\r\n\r\nhello`,
    'GET',
    false,
    [['answered', 200], ['ended', [], true], 'hello'],
  ],
  [
    'no bytes',
    `${HEAD}Content-Length: 0\r\n\r\n`,
    'GET',
    false,
    [['answered', 200], ['ended', [], true], ''],
  ],
  [
    'chunks',
    `${CHUNKED}5\r\nhello\r\n00A;x="y"\r\n0123456789\r\n0 ; last\r\n\r\n`,
    'GET',
    false,
    [['answered', 200], ['ended', [], true], 'hello0123456789'],
  ],
  [
    'chunks and trailers',
    `${CHUNKED}1\r\n\n\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n`,
    'GET',
    false,
    [['answered', 200], ['ended', ['x-sum', '1', 'x-more', '2'], true], '\n'],
  ],
  [
    'the end of the connection',
    `${HEAD}\r\nhello`,
    'GET',
    true,
    [['answered', 200], ['ended', [], false], 'hello'],
  ],
  ['HEAD', `${HEAD}Content-Length: 5\r\n\r\n`, 'HEAD', false, [['answered', 200], ['ended', [], false], '']],
  ['HEAD of chunks', CHUNKED, 'HEAD', false, [['answered', 200], ['ended', [], false], '']],
  [
    'HEAD of nothing',
    `${HEAD}Content-Length: 0\r\n\r\n`,
    'HEAD',
    false,
    [['answered', 200], ['ended', [], true], ''],
  ],
  ['204', 'HTTP/1.1 204 No\r\n\r\n', 'GET', false, [['answered', 204], ['ended', [], true], '']],
  [
    '204 with a length',
    'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n',
    'GET',
    false,
    [['answered', 204], ['ended', [], false], ''],
  ],
  [
    '304',
    'HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n',
    'GET',
    false,
    [['answered', 304], ['ended', [], true], ''],
  ],
  [
    'interim answers',
    `HTTP/1.1 103 Hint\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Go\r\nContent-Length: 5\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`,
    'POST',
    false,
    [['interim', 103], ['interim', 100], ['answered', 200], ['ended', [], true], 'ok'],
  ],
];

describe('an answer', () => {
  it.each(WHOLE)('with %s is read', (_what, bytes, method, end, told) => {
    expect(read([bytes], { method, end })).toEqual({ told, error: null, expecting: false });
  });

  it.each(WHOLE)(
    'with %s is read the same wherever it is cut in two, or in all its bytes',
    (_what, bytes, method, end, told) => {
      for (let at = 1; at < bytes.length; at++) {
        expect(read([bytes.slice(0, at), bytes.slice(at)], { method, end }), `cut at ${at}`).toEqual({
          told,
          error: null,
          expecting: false,
        });
      }
      expect(read([...bytes], { method, end }).told).toEqual(told);
    },
  );

  it.each(WHOLE)('with %s is not clean where more comes with it', (_what, bytes, method, end, told) => {
    if (end) return;
    const { told: got, expecting } = read(
      [`${bytes}HTTP/1.1 200 Poison\r\nContent-Length: 6\r\n\r\npoison`],
      { method },
    );
    expect([got, expecting]).toEqual([
      told.map((one) => (Array.isArray(one) && one[0] === 'ended' ? ['ended', one[1], false] : one)),
      false,
    ]);
  });

  it('of several chunks is read the same however it is cut', () => {
    const chunks = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(chunks, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (contents, sizes) => {
        const body = contents.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('');
        const bytes = `${CHUNKED}${body}0\r\n\r\n`;
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] as number;
          pieces.push(bytes.slice(at, at + size));
          at += size;
        }
        expect(read(pieces).told).toEqual([['answered', 200], ['ended', [], true], contents.join('')]);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it.each([
    [
      'a protocol switched unasked',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n',
      'it switches protocols unasked',
    ],
    ['another protocol that waits', 'SSH-2.0-x\r\n', 'it is not HTTP/1'],
    ['what begins like HTTP', 'HTTQ', 'it is not HTTP/1'],
    ['a header section without end', HEAD + 'X: 1\r\n'.repeat(11_000), 'its header section is too large'],
    [
      'a header section too large',
      `${HEAD}X: ${'x'.repeat(65_536)}\r\n\r\n`,
      'its header section is too large',
    ],
    ['no size', `${CHUNKED}\r\n`, 'the size of a chunk is no number'],
    ['a size that is no number', `${CHUNKED}zz\r\n`, 'the size of a chunk is no number'],
    ['a size with a sign', `${CHUNKED}+5\r\nhello\r\n`, 'the size of a chunk is no number'],
    ['a size below nothing', `${CHUNKED}-5\r\nhello\r\n`, 'the size of a chunk is no number'],
    ['a size with a prefix', `${CHUNKED}0x5\r\nhello\r\n`, 'the size of a chunk is no number'],
    ['a size with a space behind it', `${CHUNKED}5 \r\nhello\r\n`, 'the size of a chunk is no number'],
    ['a size with a space before it', `${CHUNKED} 5\r\nhello\r\n`, 'the size of a chunk is no number'],
    ['a size beyond what is exact', `${CHUNKED}40000000000000\r\n`, 'the size of a chunk is no number'],
    ['a size that ends without CR', `${CHUNKED}5\nhello\r\n`, 'a line between chunks ends without CR'],
    ['a lone CR in an extension', `${CHUNKED}5;\rx\r\nhello\r\n`, 'the size of a chunk is no number'],
    ['an extension without end', `${CHUNKED}5;${'x'.repeat(5_000)}`, 'a line between chunks is too large'],
    ['a chunk longer than it says', `${CHUNKED}5\r\nhello!\r\n`, 'a chunk is longer than it says'],
    ['a chunk that ends without CR', `${CHUNKED}5\r\nhello\n`, 'a line between chunks ends without CR'],
    ['a trailer without a colon', `${CHUNKED}0\r\nX\r\n\r\n`, 'a line of the header section has no colon'],
    ['a trailer that ends without CR', `${CHUNKED}0\r\nX: 1\n\r\n`, 'a line between chunks ends without CR'],
    [
      'trailers without end',
      `${CHUNKED}0\r\n${'X: 1\r\n'.repeat(11_000)}`,
      'its trailer section is too large',
    ],
  ])('is refused for %s, at once or byte by byte', (_what, bytes, why) => {
    const text = `the answer cannot be read: ${why}`;
    expect([read([bytes]).error, read([...bytes]).error]).toEqual([text, text]);
  });

  it.each([
    ['a length', `${HEAD}Content-Length: 5\r\n\r\nhell`],
    ['chunks', `${CHUNKED}5\r\nhello\r\n`],
    ['a header section', HEAD],
  ])('cut off in %s is never ended by the end of the connection', (_what, bytes) => {
    const { told, expecting } = read([bytes], { end: true });
    expect([told.some((one) => Array.isArray(one) && one[0] === 'ended'), expecting]).toEqual([false, true]);
  });

  it.each([
    ['interim', `HTTP/1.1 103 Hint\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`],
    ['answered', `${HEAD}Content-Length: 2\r\n\r\nok`],
    ['answered', `${CHUNKED}2\r\nok\r\n0\r\n\r\n`],
    ['received', `${CHUNKED}2\r\nok\r\n2\r\nno\r\n0\r\n\r\n`],
  ])('that is given up when %s is told is not told of any more', (stopAt, bytes) => {
    const { told } = read([bytes], { stopAt });
    expect(told.filter((one) => Array.isArray(one) && one[0] === 'ended')).toEqual([]);
  });
});
