import { describe, expect, it } from 'vitest';
import { changeHeader, signableHeaders } from '../../../src/sign/signable-headers.ts';

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
    expect(signableHeaders(sent).list).toEqual([
      ...['host', 'h'],
      ...['x-amz-target', 'DynamoDB_20120810.GetItem'],
      ...['x-amz-meta-colour', 'blue'],
    ]);
  });

  it('put a repeated header into one line where it first stood', () => {
    const { list, byName } = signableHeaders([
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
    expect(list).toEqual(['host', 'h', 'a', '1, 3, 4', 'b', '2', 'cookie', 'x=1; y=2']);
    expect({ ...byName }).toEqual({ host: 'h', a: '1, 3, 4', b: '2', cookie: 'x=1; y=2' });
  });

  it('take any name for a name', () => {
    const { list } = signableHeaders(['host', 'h', '1', 'one', 'constructor', 'x', 'constructor', 'y']);
    expect(list).toEqual(['host', 'h', '1', 'one', 'constructor', 'x, y']);
  });

  it('can be changed, and taken out', () => {
    const headers = signableHeaders(['host', 'h', 'content-encoding', 'gzip']);
    changeHeader(headers, 'content-encoding', 'aws-chunked, gzip');
    expect(headers.list).toEqual(['host', 'h', 'content-encoding', 'aws-chunked, gzip']);
    changeHeader(headers, 'content-encoding', '');
    expect(headers.list).toEqual(['host', 'h']);
    expect('content-encoding' in headers.byName).toBe(false);
    changeHeader(headers, 'new', 'x');
    expect(headers.list).toEqual(['host', 'h', 'new', 'x']);
  });
});
