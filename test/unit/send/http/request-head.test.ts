import { describe, expect, it } from 'vitest';
import { writeRequestHead } from '../../../../src/send/http/request-head.ts';

const write = (changes: object) =>
  writeRequestHead({ method: 'GET', path: '/', headers: ['host', 'a'], contentLength: 0, ...changes });

describe('the header section of a request', () => {
  it.each([
    ['GET', 0, ''],
    ['DELETE', 0, ''],
    ['POST', 0, 'content-length: 0\r\n'],
    ['PUT', 0, 'content-length: 0\r\n'],
    ['PATCH', 0, 'content-length: 0\r\n'],
    ['GET', 4, 'content-length: 4\r\n'],
    ['POST', -1, 'transfer-encoding: chunked\r\n'],
  ])('of %s with a body of %i', (method, contentLength, framing) => {
    expect(write({ method, contentLength, path: '/a?b', headers: ['host', 'a', 'x', 'caf\xe9\t1'] })).toBe(
      `${method} /a?b HTTP/1.1\r\nhost: a\r\nx: caf\xe9\t1\r\n${framing}\r\n`,
    );
  });

  it.each([
    ['a method with a space', { method: 'GET /x' }],
    ['no method', { method: '' }],
    ['a path with a space', { path: '/a b' }],
    ['a path with a line break', { path: '/a\r\nX: 1' }],
    ['a path beyond ASCII', { path: '/caf\xe9' }],
    ['no path', { path: '' }],
    ['a name with a colon', { headers: ['x:', '1'] }],
    ['a name with a line break', { headers: ['x\r\ny', '1'] }],
    ['no name', { headers: ['', '1'] }],
    ['a value with a line break', { headers: ['x', '1\r\ny: 2'] }],
    ['a value with a lone LF', { headers: ['x', '1\ny: 2'] }],
    ['a value with a NUL', { headers: ['x', '\0'] }],
    ['a value whose lower eight bits are a line break', { headers: ['x', '1\u010ay: 2'] }],
    ['a value that is no string', { headers: ['x', '\u{1f600}'] }],
  ])('is not written with %s', (_what, changes) => {
    expect(() => write(changes)).toThrow(/^(no request line can be made|the header ".*" cannot be sent)$/);
  });

  it('is written with more names than are remembered', () => {
    const headers = Array.from({ length: 1_200 }, (_, i) => [`x-${i}`, '1']).flat();
    expect(write({ headers }).split('\r\n')).toHaveLength(1_203);
  });
});
