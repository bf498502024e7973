import { describe, expect, it } from 'vitest';
import { readAnswerHead } from '../../../../src/send/http/answer-head.ts';
import { UpstreamFault } from '../../../../src/send/http/upstream-fault.ts';

const OK = 'HTTP/1.1 200 OK';

const head = (...lines: string[]) => readAnswerHead(lines.join('\r\n'));

describe('a header section', () => {
  it('is read as it is, names in lower case', () => {
    expect(
      head(
        'HTTP/1.1 203 Not Quite',
        'X-A: 1',
        'x-a:2',
        'X-B:\t caf\xe9 = 3 \t',
        'X-Empty:',
        'Content-Length: 12',
      ),
    ).toEqual({
      status: 203,
      reason: 'Not Quite',
      headers: ['x-a', '1', 'x-a', '2', 'x-b', 'caf\xe9 = 3', 'x-empty', '', 'content-length', '12'],
      connection: '',
      contentLength: 12,
      chunked: false,
      persistent: true,
      keepAlive: Number.POSITIVE_INFINITY,
    });
  });

  it.each([
    ['HTTP/1.1 200 OK', 200, 'OK'],
    ['HTTP/1.1 200 ', 200, ''],
    ['HTTP/1.1 200', 200, ''],
    ['HTTP/1.0 999 caf\xe9 \t x', 999, 'caf\xe9 \t x'],
    ['HTTP/1.1 100 Continue', 100, 'Continue'],
  ])('begins with %j', (line, status, reason) => {
    expect([head(line).status, head(line).reason]).toEqual([status, reason]);
  });

  it.each([
    ['nothing', ['']],
    ['another protocol', ['SSH-2.0-x']],
    ['another version', ['HTTP/2.0 200 OK']],
    ['HTTP/1.2', ['HTTP/1.2 200 OK']],
    ['a name in lower case', ['http/1.1 200 OK']],
    ['a status of two digits', ['HTTP/1.1 20 OK']],
    ['a status of four digits', ['HTTP/1.1 2000 OK']],
    ['a status below 100', ['HTTP/1.1 099 OK']],
    ['two spaces', ['HTTP/1.1  200 OK']],
    ['a tab', ['HTTP/1.1\t200 OK']],
    ['space before it', [' HTTP/1.1 200 OK']],
    ['an empty line before it', ['', OK]],
    ['a lone LF in the status line', ['HTTP/1.1 200 OK\nX: 1']],
    ['a lone CR in the status line', ['HTTP/1.1 200 O\rK']],
    ['a NUL in the reason phrase', ['HTTP/1.1 200 O\0K']],
    ['a line without a colon', [OK, 'X']],
    ['a line without a colon before one that has one', [OK, 'X', 'Y: 1']],
    ['no name', [OK, ': 1']],
    ['a space before the colon', [OK, 'X : 1']],
    ['a tab before the colon', [OK, 'X\t: 1']],
    ['a space in the name', [OK, 'X Y: 1']],
    ['a folded line', [OK, 'X: 1', ' Y: 2']],
    ['a folded line without a colon', [OK, 'X: 1', '\tmore']],
    ['a name beyond ASCII', [OK, 'X\xe9: 1']],
    ['a NUL in a name', [OK, 'X\0: 1']],
    ['a lone LF in a value', [OK, 'X: 1\nY: 2']],
    ['a lone CR in a value', [OK, 'X: 1\rY: 2']],
    ['a NUL in a value', [OK, 'X: a\0b']],
    ['DEL in a value', [OK, 'X: a\x7fb']],
    ['a vertical tab in a value', [OK, 'X: a\vb']],
    ['two lengths', [OK, 'Content-Length: 2', 'content-length: 3']],
    ['the same length twice', [OK, 'Content-Length: 2', 'Content-Length: 2']],
    ['a list of lengths', [OK, 'Content-Length: 2, 2']],
    ['a length with a sign', [OK, 'Content-Length: +2']],
    ['a length below nothing', [OK, 'Content-Length: -2']],
    ['a length in hexadecimal', [OK, 'Content-Length: 0x2']],
    ['a length with a point', [OK, 'Content-Length: 2.0']],
    ['an empty length', [OK, 'Content-Length:']],
    ['a length beyond what is exact', [OK, 'Content-Length: 9007199254740992']],
    ['a length and chunks', [OK, 'Content-Length: 2', 'Transfer-Encoding: chunked']],
    ['chunks and a length', [OK, 'Transfer-Encoding: chunked', 'Content-Length: 2']],
    ['chunks twice', [OK, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['another coding', [OK, 'Transfer-Encoding: gzip']],
    ['another coding before chunks', [OK, 'Transfer-Encoding: gzip, chunked']],
    ['a coding that is nearly chunks', [OK, 'Transfer-Encoding: xchunked']],
    ['an empty coding', [OK, 'Transfer-Encoding:']],
    ['chunks in HTTP/1.0', ['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked']],
  ])('is refused for %s', (_what, lines) => {
    expect(() => head(...lines)).toThrow(UpstreamFault);
    expect(() => head(...lines)).toThrow(/^the answer cannot be read: /);
  });

  it.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: keep-alive'], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.1', ['Connection: Close'], false],
    ['HTTP/1.1', ['Connection: x, close'], false],
    ['HTTP/1.1', ['Connection: x', 'Connection: close'], false],
    ['HTTP/1.1', ['Connection: disclose'], true],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: keep-alive'], true],
    ['HTTP/1.0', ['Connection: Keep-Alive'], true],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false],
  ])('of %s with %j leaves the connection open: %s', (version, lines, persistent) => {
    expect(head(`${version} 200 OK`, ...lines).persistent).toBe(persistent);
  });

  it.each([
    ['timeout=5', 5_000],
    ['timeout=5, max=100', 5_000],
    ['max=100, Timeout=5', 5_000],
    ['timeout = "5"', 5_000],
    ['max=100', Number.POSITIVE_INFINITY],
    ['notimeout=5', Number.POSITIVE_INFINITY],
  ])('with Keep-Alive: %s', (value, keepAlive) => {
    expect(head(OK, `Keep-Alive: ${value}`).keepAlive).toBe(keepAlive);
  });

  it('with a thousand names is read as well as one with few', () => {
    const lines = Array.from({ length: 2_000 }, (_, i) => `X-${i % 1_000}: ${i}`);
    expect(head(OK, ...lines).headers.slice(-2)).toEqual(['x-999', '1999']);
  });
});
