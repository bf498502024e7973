import { describe, expect, it } from 'vitest';
import { Irregularity } from '../../../src/core/inbound.ts';
import { canonicalizePath } from '../../../src/listen/canonical-path.ts';
import { spellPath } from '../../support/path-spellings.ts';
import { createSeededRandom } from '../../support/seeded-random.ts';

const { encodedSlash, encodedPercent, encodedHash, encodedQuestionMark, semicolon, emptySegment } =
  Irregularity;

describe('a canonical path', () => {
  it.each([
    '/',
    '/a',
    '/a/b/c/',
    '/.well-known/x',
    '/...',
    '/a..b/.c./..d',
    "/-._~!$&'()*+,=:@",
    '/AZaz09',
    '/%20',
    '/a%20/b',
    '/%22%3C%3E%5B%5D%5E%60%7B%7C%7D',
    '/%C3%A9/%E2%82%AC/%F0%9F%98%80',
    '/%C2%A0',
    '/%21%26',
  ])('%s stays as it is', (path) => {
    expect(canonicalizePath(path)).toEqual({ path, irregular: 0 });
  });

  it.each([
    ['/%61%2D%5f%7e%2E%5A', '/a-_~.Z'],
    ['/%e2%82%ac', '/%E2%82%AC'],
    ['/%3c%3C', '/%3C%3C'],
    ['/"<>[]^`{|}', '/%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ['/\xc3\xa9', '/%C3%A9'],
    ['/\xe2\x82\xac\xf0\x9f\x98\x80', '/%E2%82%AC%F0%9F%98%80'],
    ['/a%2Eb', '/a.b'],
    ['/%2E%2E%2E', '/...'],
    ['/%2Ehidden', '/.hidden'],
  ])('%s is spelt %s', (raw, path) => {
    expect(canonicalizePath(raw)).toEqual({ path, irregular: 0 });
  });

  it.each([
    ['/a%2Fb', '/a%2Fb', encodedSlash],
    ['/a%2fb', '/a%2Fb', encodedSlash],
    ['/100%25', '/100%25', encodedPercent],
    ['/%2525', '/%2525', encodedPercent],
    ['/a%23b', '/a%23b', encodedHash],
    ['/a%3fb', '/a%3Fb', encodedQuestionMark],
    ['/a;b', '/a;b', semicolon],
    ['/a%3bb', '/a%3Bb', semicolon],
    ['//a', '//a', emptySegment],
    ['/a//', '/a//', emptySegment],
    ['/%61//b', '/a//b', emptySegment],
    ['/;%2F%25%23%3F//', '/;%2F%25%23%3F//', 63],
  ])('%s is %s, and says why a route must permit it', (raw, path, irregular) => {
    expect(canonicalizePath(raw)).toEqual({ path, irregular });
  });

  it('does not change when it is made again', () => {
    const random = createSeededRandom(3_986);
    let made = 0;
    for (let i = 0; i < 20_000; i++) {
      const once = canonicalizePath((spellPath(random).split('?', 1)[0] ?? '').split('#', 1)[0] ?? '');
      if (once === null) continue;
      made += 1;
      expect(canonicalizePath(once.path)).toEqual(once);
    }
    expect(made).toBeGreaterThan(2_000);
  });
});

describe('refused', () => {
  it.each([
    ['nothing', ''],
    ['no slash', 'a'],
    ['a question mark', '?a'],
    ['an asterisk', '*'],
  ])('%s', (_, raw) => {
    expect(canonicalizePath(raw)).toBeNull();
  });

  it.each([
    '/.',
    '/..',
    '/./',
    '/../',
    '/a/.',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/%2e',
    '/%2E%2e',
    '/.%2E',
    '/%2e./a',
  ])('the dot segment in %s', (raw) => {
    expect(canonicalizePath(raw)).toBeNull();
  });

  it.each(['/..%20', '/%20..', '/.%20/a', '/%20.%20', '/.%20.', '/..%20./a', '/...%20', '/a/%20%20../b'])(
    'what is a dot segment once it is trimmed: %s',
    (raw) => {
      expect(canonicalizePath(raw)).toBeNull();
    },
  );

  it('every control character, raw and encoded', () => {
    for (let code = 0; code < 0xa0; code++) {
      if (code >= 0x20 && code < 0x7f) continue;
      const hex = code.toString(16).padStart(2, '0');
      expect(canonicalizePath(`/a${String.fromCharCode(code)}b`), `raw ${hex}`).toBeNull();
      expect(canonicalizePath(`/a%${hex}b`), `encoded ${hex}`).toBeNull();
      if (code >= 0x80) expect(canonicalizePath(`/a%c2%${hex}b`), `UTF-8 ${hex}`).toBeNull();
    }
  });

  it.each(['/\\', '/a\\b', '/%5c', '/%5C', '/..\\a', '/ ', '/a b', '/#', '/a#b', '/?', '/\u0100', '/\u20ac'])(
    'the character in %j',
    (raw) => {
      expect(canonicalizePath(raw)).toBeNull();
    },
  );

  it.each(['/%', '/%2', '/%zz', '/%2z', '/%z2', '/a%', '/%%41', '/% 41', '/%u0041', '/%-1', '/%+1', '/%0x'])(
    'the triplet in %s',
    (raw) => {
      expect(canonicalizePath(raw)).toBeNull();
    },
  );

  it.each([
    ['a lone continuation', '80'],
    ['a lone lead', 'c3'],
    ['a lead and ASCII', 'c3 41'],
    ['an overlong slash', 'c0 af'],
    ['an overlong dot', 'c1 ae'],
    ['an overlong NUL', 'c0 80'],
    ['overlong in three', 'e0 80 af'],
    ['overlong in three, high', 'e0 9f bf'],
    ['overlong in four', 'f0 80 80 af'],
    ['overlong in four, high', 'f0 8f bf bf'],
    ['the first surrogate', 'ed a0 80'],
    ['the last surrogate', 'ed bf bf'],
    ['beyond Unicode', 'f4 90 80 80'],
    ['far beyond', 'f5 80 80 80'],
    ['five bytes', 'f8 88 80 80 80'],
    ['six bytes', 'fc 84 80 80 80 80'],
    ['no lead', 'fe'],
    ['no lead at all', 'ff'],
    ['cut off in two of three', 'e2 82'],
    ['cut off in three of four', 'f0 9f 98'],
    ['a bad third byte', 'e2 82 41'],
    ['a bad fourth byte', 'f0 9f 98 c3'],
  ])('%s, which is no UTF-8', (_, hex) => {
    const bytes = hex.split(' ');
    const encoded = bytes.map((byte) => `%${byte}`).join('');
    const raw = bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 16))).join('');
    for (const path of [`/${encoded}`, `/a${encoded}b`, `/${raw}`, `/a${raw}b`, `/${raw}/`]) {
      expect(canonicalizePath(path), JSON.stringify(path)).toBeNull();
    }
  });

  it('a character of which some bytes are encoded', () => {
    expect(canonicalizePath('/\xc3%A9')).toBeNull();
    expect(canonicalizePath('/%C3\xa9')).toBeNull();
  });
});

it('takes every character of Unicode that is no control, as TextDecoder does', () => {
  for (let code = 0xa0; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const encoded = encodeURIComponent(String.fromCodePoint(code));
    expect(canonicalizePath(`/${encoded}`)?.path).toBe(`/${encoded}`);
  }
});
