import { describe, expect, it } from 'vitest';
import { changeHeader, headerList, signableHeaders } from '../../../src/sign/signable-headers.ts';

describe('headers to sign', () => {
  it('leave out every signature of the client', () => {
    const sent = [
      ['host', 'h'],
      ['authorization', 'AWS4-HMAC-SHA256 Credential=x'],
      ['x-amz-date', '20300101T000000Z'],
      ['x-amz-security-token', 'theirs'],
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['x-amz-decoded-content-length', '1'],
      ['x-amz-trailer', 'x-amz-checksum-crc32'],
      ['x-amz-s3session-token', 'theirs'],
      ['date', 'now'],
      ['content-length', '5'],
      ['x-amz-target', 'DynamoDB_20120810.GetItem'],
      ['x-amz-meta-colour', 'blue'],
    ].flat();
    expect(headerList(signableHeaders(sent))).toEqual([
      ...['host', 'h'],
      ...['x-amz-target', 'DynamoDB_20120810.GetItem'],
      ...['x-amz-meta-colour', 'blue'],
    ]);
  });

  it('put a repeated header into one line where it first stood', () => {
    const headers = signableHeaders([
      'host',
      'h',
      'a',
      '1',
      'b',
      '2',
      'a',
      '3',
      'a',
      '4',
      'cookie',
      'x=1',
      'cookie',
      'y=2',
    ]);
    expect(headerList(headers)).toEqual(['host', 'h', 'a', '1, 3, 4', 'b', '2', 'cookie', 'x=1; y=2']);
  });

  it('take any name for a name', () => {
    const odd = ['1', 'one', 'constructor', 'x', 'constructor', 'y', '__proto__', 'z'];
    const list = headerList(signableHeaders(['host', 'h', ...odd]));
    expect(list).toEqual(['host', 'h', '1', 'one', 'constructor', 'x, y', '__proto__', 'z']);
  });

  it('can be changed, and taken out', () => {
    const headers = signableHeaders(['host', 'h', 'content-encoding', 'gzip']);
    changeHeader(headers, 'content-encoding', 'aws-chunked, gzip');
    expect(headerList(headers)).toEqual(['host', 'h', 'content-encoding', 'aws-chunked, gzip']);
    changeHeader(headers, 'content-encoding', '');
    expect(headerList(headers)).toEqual(['host', 'h']);
    changeHeader(headers, 'new', 'x');
    expect(headerList(headers)).toEqual(['host', 'h', 'new', 'x']);
  });
});
