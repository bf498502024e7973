import { describe, expect, it } from 'vitest';
import { hostOf, parseRequestTarget } from '../../../src/listen/request-target.ts';

describe('parseRequestTarget', () => {
  it.each([
    ['/', { path: '/', query: null, authority: null }],
    ['/a?', { path: '/a', query: '', authority: null }],
    ['/a?b=c?d', { path: '/a', query: 'b=c?d', authority: null }],
    ['/a?"<>{|}`^[]\\', { path: '/a', query: '"<>{|}`^[]\\', authority: null }],
    ['/a?\x80\xff', { path: '/a', query: '\x80\xff', authority: null }],
    ['//a', { path: '//a', query: null, authority: null }],
    ['http://a', { path: '/', query: null, authority: 'a' }],
    ['http://a/', { path: '/', query: null, authority: 'a' }],
    ['HTTPS://A.Example:8443/B?C', { path: '/B', query: 'C', authority: 'a.example:8443' }],
    ['http://[::1]:80/b', { path: '/b', query: null, authority: '[::1]:80' }],
  ])('takes %j apart', (raw, expected) => {
    expect(parseRequestTarget(raw)).toEqual(expected);
  });

  it.each([
    '',
    '*',
    'a',
    'a:80',
    '?a',
    '#a',
    'http:',
    'http:/a',
    'http://',
    'http:///a',
    'http:a',
    'http:http://a/',
    'ftp://a/',
    'http://a@b/',
    'http://a\\b/',
    'http://a?b',
    'http://a#b',
    ' /a',
    '\\a',
    '/a?b#c',
    '/a?b c',
    '/a?\0',
    '/a?\x7f',
    '/a?\n',
    '/a?\u0100',
    'http://a/b?c#d',
  ])('refuses %j', (raw) => {
    expect(parseRequestTarget(raw)).toBeNull();
  });
});

describe('hostOf', () => {
  it.each([
    ['a', 'a'],
    ['A.Example', 'a.example'],
    ['a.example:80', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:80', 'a.example'],
    ['a.example..', 'a.example.'],
    ['my_service:8080', 'my_service'],
    ['xn--9n2bp8q.example', 'xn--9n2bp8q.example'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['[::ffff:127.0.0.1]', '[::ffff:127.0.0.1]'],
    ['a:65535', 'a'],
  ])('%s is %s', (authority, host) => {
    expect(hostOf(authority)).toBe(host);
  });

  it.each([
    '',
    '.',
    ':',
    ':80',
    'a:',
    'a:b',
    'a:123456',
    'a:80:80',
    'a b',
    ' a',
    'a/',
    'a/b',
    'a?b',
    'a#b',
    'a@b',
    'a,b',
    'a%41',
    'a\\b',
    '"a"',
    '[a',
    'a]',
    '[]',
    '[::1]a',
    '[::1]:',
    '[g::1]',
    '::1',
    '\xe4.example',
    'a\0',
    'a\n',
    '*.example',
  ])('%j is no host', (authority) => {
    expect(hostOf(authority)).toBeNull();
  });

  it('takes linear time over a long value', () => {
    expect(hostOf(`${'a.'.repeat(100_000)}:`)).toBeNull();
    expect(hostOf(`[${':'.repeat(100_000)}`)).toBeNull();
  });
});
