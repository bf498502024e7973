import { describe, expect, it } from 'vitest';
import { createHeaderNames, HeaderKind } from '../../../src/listen/header-names.ts';

describe('createHeaderNames', () => {
  it.each([
    ['Accept', 'accept', HeaderKind.pass],
    ['X-FORWARDED-FOR', 'x-forwarded-for', HeaderKind.pass],
    ['cookie', 'cookie', HeaderKind.pass],
    ['Host', 'host', HeaderKind.host],
    ['AUTHORIZATION', 'authorization', HeaderKind.authorization],
    ['Content-Length', 'content-length', HeaderKind.contentLength],
    ['transfer-encoding', 'transfer-encoding', HeaderKind.transferEncoding],
    ['Connection', 'connection', HeaderKind.connection],
    ['X-Request-ID', 'x-request-id', HeaderKind.requestId],
    ['TE', 'te', HeaderKind.te],
    ['Expect', 'expect', HeaderKind.expect],
    ['Keep-Alive', 'keep-alive', HeaderKind.drop],
    ['Upgrade', 'upgrade', HeaderKind.drop],
    ['Trailer', 'trailer', HeaderKind.drop],
    ['Proxy', 'proxy', HeaderKind.drop],
    ['Proxy-Connection', 'proxy-connection', HeaderKind.drop],
    ['Proxy-Authorization', 'proxy-authorization', HeaderKind.drop],
    ['Proxy-Authenticate', 'proxy-authenticate', HeaderKind.drop],
    ['HTTP2-Settings', 'http2-settings', HeaderKind.drop],
    ['X_A', 'x_a', HeaderKind.drop],
    ['_', '_', HeaderKind.drop],
    ['Content_Length', 'content_length', HeaderKind.drop],
    ['__proto__', '__proto__', HeaderKind.drop],
    ['constructor', 'constructor', HeaderKind.pass],
  ])('reads %s', (raw, name, kind) => {
    expect(createHeaderNames()(raw)).toEqual({ name, kind });
  });

  it('remembers a spelling', () => {
    const readName = createHeaderNames();
    expect(readName('Accept')).toBe(readName('Accept'));
  });

  it('does not remember a long one', () => {
    const readName = createHeaderNames();
    expect(readName('a'.repeat(65))).not.toBe(readName('a'.repeat(65)));
  });

  it('remembers the usual ones again after a flood of invented ones', () => {
    const readName = createHeaderNames();
    for (let i = 0; i < 10_000; i++) readName(`x-${i}`);
    expect(readName('Accept')).toBe(readName('Accept'));
  });
});
