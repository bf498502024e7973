import { describe, expect, it } from 'vitest';
import { codeOfParseError } from '../../../src/listen/parse-errors.ts';

const URL_BYTES = 100;

const error = (code: string | undefined, packet?: string): Error =>
  Object.assign(
    new Error('x'),
    code === undefined ? {} : { code },
    packet && { rawPacket: Buffer.from(packet) },
  );

describe('codeOfParseError', () => {
  it.each([
    ['HPE_INVALID_METHOD', 'REQUEST_MALFORMED'],
    ['HPE_INVALID_HEADER_TOKEN', 'REQUEST_MALFORMED'],
    ['HPE_INVALID_EOF_STATE', 'REQUEST_MALFORMED'],
    ['HPE_ANYTHING_YET_TO_COME', 'REQUEST_MALFORMED'],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'LIMIT_BODY'],
    ['ERR_HTTP_REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'],
    ['ECONNRESET', null],
    ['EPIPE', null],
    ['ETIMEDOUT', null],
    ['ERR_STREAM_WRITE_AFTER_END', null],
    ['ERR_SSL_HTTP_REQUEST', null],
    [undefined, null],
  ])('%s is %s', (code, expected) => {
    expect(codeOfParseError(error(code), URL_BYTES)).toBe(expected);
  });

  it.each([
    ['a long target', `GET /${'a'.repeat(200)}`, 'LIMIT_URL'],
    ['a long target with all behind it', `GET /${'a'.repeat(200)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'LIMIT_URL'],
    ['long headers', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(200)}`, 'LIMIT_HEADERS'],
    ['the middle of long headers', 'a'.repeat(200), 'LIMIT_HEADERS'],
    ['nothing', undefined, 'LIMIT_HEADERS'],
  ])('an overflow in %s', (_, packet, expected) => {
    expect(codeOfParseError(error('HPE_HEADER_OVERFLOW', packet), URL_BYTES)).toBe(expected);
  });
});
