import { sign } from 'node:crypto';
import { type Mutant, mutants, type Workshop } from './workshop.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const DECODES_ANYHOW =
  'its decoder skips what does not belong; many spellings of one token would be as many tokens';

/** 256 bytes leave four bits of the last character unused: sixteen spellings, one of them canonical. */
const otherSpellings: Mutant[] = Array.from({ length: 15 }, (_, i) => ({
  name: `one signature, spelling ${i + 2} of 16`,
  code: 'AUTHN_TOKEN_MALFORMED',
  make({ genuine }) {
    const token = genuine();
    const last = ALPHABET.indexOf(token.slice(-1));
    return token.slice(0, -1) + ALPHABET[last ^ (i + 1)];
  },
  awsTakesIt: DECODES_ANYHOW,
}));

/** A genuine token, changed as text. */
const respelled =
  (change: (header: string, payload: string, signature: string) => string): Mutant['make'] =>
  ({ genuine }) => {
    const [header = '', payload = '', signature = ''] = genuine().split('.');
    return change(header, payload, signature);
  };

/** Parts that are not in canonical spelling, and signed so. */
const signedOver =
  (respell: (header: string, payload: string) => readonly [string, string]): Mutant['make'] =>
  ({ key, access }: Workshop) => {
    const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const input = respell(encode({ kid: key.kid, alg: 'RS256' }), encode(access())).join('.');
    return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
  };

/** Whitespace that makes the length of the JSON leave spare bits in its last character. */
const withSpareBits = (part: string): string => {
  const json = Buffer.from(part, 'base64url').toString();
  const padded = json + ' '.repeat((4 - (Buffer.byteLength(json) % 3)) % 3);
  const spelled = Buffer.from(padded).toString('base64url');
  return spelled.slice(0, -1) + ALPHABET[ALPHABET.indexOf(spelled.slice(-1)) | 1];
};

const PADDING = 'it takes padding, which RFC 7515 section 2 leaves out';

const rest = mutants('AUTHN_TOKEN_MALFORMED', [
  ['signature padded', respelled((h, p, s) => `${h}.${p}.${s}==`), PADDING],
  ['signature padded too little', respelled((h, p, s) => `${h}.${p}.${s}=`), PADDING],
  ['header padded, and signed so', signedOver((h, p) => [`${h}=`, p]), PADDING],
  ['payload padded, and signed so', signedOver((h, p) => [h, `${p}=`]), PADDING],
  ['spare bits in the header, and signed so', signedOver((h, p) => [withSpareBits(h), p]), DECODES_ANYHOW],
  ['spare bits in the payload, and signed so', signedOver((h, p) => [h, withSpareBits(p)]), DECODES_ANYHOW],
  ['a single character too many', respelled((h, p, s) => `${h}.${p}.${s}AAA`)],
  ['base64 instead of base64url', respelled((h, p, s) => `${h}.${p}.+/${s.slice(2)}`)],
  ['a character of no alphabet', respelled((h, p, s) => `${h}.${p}.${s.slice(0, 9)}!${s.slice(9)}`)],
  ['a space in the signature', respelled((h, p, s) => `${h}.${p}.${s.slice(0, 9)} ${s.slice(9)}`)],
  ['a tab in the payload', respelled((h, p, s) => `${h}.${p.slice(0, 4)}\t${p.slice(4)}.${s}`)],
  ['a space around a dot', respelled((h, p, s) => `${h} .${p}.${s}`)],
  ['a no-break space after it', respelled((h, p, s) => `${h}.${p}.${s}\u00a0`)],
  ['a no-break space before it', respelled((h, p, s) => `\u00a0${h}.${p}.${s}`)],
  ['percent-encoded dots', respelled((h, p, s) => `${h}%2E${p}%2E${s}`)],
  ['in quotes', respelled((h, p, s) => `"${h}.${p}.${s}"`)],
  ['Bearer twice', respelled((h, p, s) => `Bearer ${h}.${p}.${s}`)],
  ['with a second token after a comma', respelled((h, p, s) => `${h}.${p}.${s},${h}.${p}.${s}`)],
  ['with a parameter', respelled((h, p, s) => `${h}.${p}.${s};v=1`)],
  ['one part', respelled((h) => h)],
  ['two parts', respelled((h, p) => `${h}.${p}`)],
  ['four parts', respelled((h, p, s) => `${h}.${p}.${s}.${s}`)],
  ['five parts, as if encrypted', respelled((h, p, s) => `${h}.${p}.${s}.${p}.${s}`)],
  ['a dot at the end', respelled((h, p, s) => `${h}.${p}.${s}.`)],
  ['a dot at the beginning', respelled((h, p, s) => `.${h}.${p}.${s}`)],
  ['no header', respelled((_, p, s) => `.${p}.${s}`)],
  ['no payload', respelled((h, _, s) => `${h}..${s}`)],
  ['no signature', respelled((h, p) => `${h}.${p}.`)],
  [
    'in JSON serialization',
    respelled((h, p, s) => JSON.stringify({ protected: h, payload: p, signature: s })),
  ],
  ['two dots', () => '..'],
  ['the word null', () => 'null'],
  ['the word undefined', () => 'undefined'],
]);

const swapped = mutants('AUTHN_ALGORITHM_UNSUPPORTED', [
  ['payload before header', respelled((h, p, s) => `${p}.${h}.${s}`)],
]);

export const encodingMutants: readonly Mutant[] = [...otherSpellings, ...rest, ...swapped];
