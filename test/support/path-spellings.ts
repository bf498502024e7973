import type { SeededRandom } from './seeded-random.ts';

/** Ways to a protected page, and to pages beside it, that a spelling may hide. */
const ROUTES_TO_TAKE: readonly (readonly string[])[] = [
  ['admin'],
  ['admin', 'x'],
  ['public', '..', 'admin'],
  ['public', '..', 'admin', 'x'],
  ['public', 'a', '..', '..', 'admin', 'x'],
  ['public', '.', 'a'],
  ['public', 'a', 'b'],
  ['any', '..', 'admin', 'x'],
  ['any', 'a', '..', '..', 'admin'],
  ['any', 'a', 'b'],
  ['any', 'a', 'b', 'c'],
  ['any', 'admin', 'x'],
  ['any', 'a', 'admin', 'x'],
  ['any', 'administrator'],
  ['administrator', 'x'],
  ['public', 'admin'],
  ['public', 'a.b', 'c'],
  ['..', 'admin', 'x'],
  ['.', 'admin', 'x'],
  ['admin', 'a', '..', 'x'],
  ['', 'admin', 'x'],
];

const SEPARATORS = ['//', '///', '/./', '\\', '/\\', '%2f', '%2F', '%5c', '%5C', '%252f', '%255c', '%25252f'];
const ODD_SEPARATORS = [
  '/;/',
  '/;a=b/',
  '/%2e/',
  '/%20/',
  '%c0%af',
  '%e0%80%af',
  '%25c0%25af',
  '%ef%bc%8f',
  '/%3b/',
  '%00/',
];
const ENDINGS = [
  '.',
  '..',
  '...',
  '%2e',
  '%20',
  '%20.',
  '%2520',
  '%c2%a0',
  ';',
  ';a',
  ';a=b;c',
  '%3b',
  '%3Ba',
  '%253b',
  '%00',
];
const ODD_ENDINGS = [
  '%00.css',
  '%23',
  '%23a',
  '%2523',
  '%3f',
  '%3Fa=b',
  '%253f',
  '#a',
  '%09',
  '%0a',
  '%7f',
  '~1',
  '::$DATA',
  '*',
  '%',
  '%2',
  '%25',
  '%25zz',
  '%25ff',
];
const BEGINNINGS = [
  'http://api.example.com',
  'HTTP://API.EXAMPLE.COM',
  'https://api.example.com',
  'http://evil.example',
];
const ODD_BEGINNINGS = [
  'http:http://api.example.com',
  'http:',
  '/',
  '//evil.example',
  '.',
  '/.',
  '/..',
  '%2f',
  '*',
  'http://a@api.example.com',
];
const TAILS = [
  '/',
  '//',
  '/.',
  '/..',
  '/%2e',
  '/%2e%2e',
  '?',
  '?a=/public/',
  '?/../admin',
  '#',
  '#/public',
  '/;',
  '%2f',
  '%5c',
];

/** Characters that fold to these in some reading: by case, by width, or by a mapping of Unicode's. */
const FOLDING: Readonly<Record<string, readonly string[]>> = {
  i: ['%C4%B1', '%C4%B0', '%EF%BD%89'],
  a: ['%EF%BD%81', '%C2%AA'],
  d: ['%EF%BD%84'],
  m: ['%EF%BD%8D'],
  n: ['%EF%BD%8E', '%E2%81%BF'],
  '.': ['%EF%BC%8E', '%E2%80%A4'],
};

/** In how many cases of a hundred a part is spelt as only attackers do. Tame ones get far, wild ones show much at once. */
const WILDNESS = [1, 3, 6, 12, 25];

/** Makes one spelling of one of the ways. */
export function spellPath(random: SeededRandom): string {
  const wildness = random.pick(WILDNESS);
  const path = random.pick(ROUTES_TO_TAKE).map((segment) => {
    const spelt = Array.from(segment, (character) => spellCharacter(random, character, wildness)).join('');
    if (random.chance(wildness)) return spelt + random.pick(ENDINGS);
    return random.chance(wildness / 2) ? spelt + random.pick(ODD_ENDINGS) : spelt;
  });
  let target = '';
  for (const segment of path) {
    if (random.chance(wildness)) target += random.pick(SEPARATORS);
    else target += random.chance(wildness / 2) ? random.pick(ODD_SEPARATORS) : '/';
    target += segment;
  }
  if (random.chance(15)) target += random.pick(TAILS);
  if (random.chance(4)) return random.pick(BEGINNINGS) + target;
  return random.chance(2) ? random.pick(ODD_BEGINNINGS) + target : target;
}

/** @param wildness in how many cases of a hundred it is not plain; dots are spelt oddly more often */
function spellCharacter(random: SeededRandom, character: string, wildness: number): string {
  if (!random.chance(character === '.' ? 50 : wildness)) return character;
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return `%${hex}`;
    case 3:
      return `%${hex.toUpperCase()}`;
    case 4:
      return character.toUpperCase();
    case 5:
    case 6:
      return `%25${hex}`;
    case 7:
      return `%25${encodeAll(hex)}`;
    case 8:
      return random.pick([`%u00${hex}`, `%2525${hex}`, `%25u00${hex}`]);
    case 9:
      return overlong(code, 2);
    case 10:
      return random.pick([overlong(code, 3), overlong(code, 2).replaceAll('%', '%25')]);
    default:
      return random.pick(FOLDING[character] ?? [character.toUpperCase()]);
  }
}

function encodeAll(text: string): string {
  return Array.from(text, (character) => `%${character.charCodeAt(0).toString(16)}`).join('');
}

/** An ASCII character in more bytes of UTF-8 than it takes, which RFC 3629 forbids and old decoders take. */
function overlong(code: number, bytes: 2 | 3): string {
  const last = (0x80 | (code & 0x3f)).toString(16);
  const second = (0x80 | (code >> 6)).toString(16);
  return bytes === 2 ? `%${(0xc0 | (code >> 6)).toString(16)}%${last}` : `%e0%${second}%${last}`;
}
