import { assembleToken, type TokenClaims } from '../../support/token-factory.ts';
import { type Mutant, mutants, type Workshop } from './workshop.ts';

const at =
  (claims: (now: number) => TokenClaims): Mutant['make'] =>
  ({ sign, access, now }) =>
    sign(access(claims(now)));

/** Claims as JSON text, where a number is wanted that JSON.stringify would not write. */
const written =
  (name: string, text: string): Mutant['make'] =>
  ({ signText, access }) =>
    signText(
      '{"kid":"genuine","alg":"RS256"}',
      JSON.stringify(access({ [name]: '?' })).replace(`"${name}":"?"`, `"${name}":${text}`),
    );

const NO_DATE = 'it takes any number; this one lies beyond all dates, and would never expire';

const time = [
  ...mutants('AUTHN_CLAIMS_INVALID', [
    ['no exp', at(() => ({ exp: undefined })), 'it asks for no exp; RFC 8725 and Cognito do'],
    ['exp null', at(() => ({ exp: null }))],
    ['exp a text', at((now) => ({ exp: String(now + 60) }))],
    ['exp true', at(() => ({ exp: true }))],
    ['exp a list', at((now) => ({ exp: [now + 60] }))],
    ['exp an object', at(() => ({ exp: {} }))],
    ['exp infinite', written('exp', '1e999')],
    ['exp huge', written('exp', '1e20'), NO_DATE],
    ['nbf null', at(() => ({ nbf: null }))],
    ['nbf a text', at(() => ({ nbf: '0' }))],
    ['nbf infinite', written('nbf', '-1e999')],
    ['iat null', at(() => ({ iat: null }))],
    ['iat a text', at((now) => ({ iat: String(now) }))],
  ]),
  ...mutants('AUTHN_TOKEN_MALFORMED', [
    ['exp NaN', written('exp', 'NaN')],
    ['exp hexadecimal', written('exp', '0xFFFFFFFF')],
    ['exp twice', written('exp', '1,"exp":9999999999'), 'of two members with one name it believes the last'],
  ]),
  ...mutants('AUTHN_TOKEN_EXPIRED', [
    ['exp a minute ago', at((now) => ({ exp: now - 60 }))],
    ['exp a second ago', at((now) => ({ exp: now - 1 }))],
    ['exp zero', at(() => ({ exp: 0 }))],
    ['exp negative', at((now) => ({ exp: -now }))],
    ['exp a fraction of a second', at(() => ({ exp: 0.5 }))],
    ['expired before it began', at((now) => ({ exp: now - 10, nbf: now + 10 }))],
  ]),
  ...mutants('AUTHN_TOKEN_NOT_YET_VALID', [
    ['nbf in a minute', at((now) => ({ nbf: now + 60 }))],
    ['nbf in milliseconds', at((now) => ({ nbf: now * 1000 }))],
  ]),
];

const LIMIT = 16_384;

/** A genuine token filled up to exactly so many characters. */
function ofLength(length: number, { sign, access }: Workshop): string {
  for (let filler = length; filler > 0; filler--) {
    const token = sign(access({ filler: 'x'.repeat(filler) }));
    if (token.length === length) return token;
    if (token.length > length) filler -= Math.max(0, Math.floor(((token.length - length) * 3) / 4) - 2);
  }
  throw new Error(`no token has ${length} characters`);
}

/** The largest token that is looked at. */
export const largestToken = (workshop: Workshop): string => ofLength(LIMIT, workshop);

const NO_LIMIT = 'it has no limit, being asked for one token at a time';

const nested = (depth: number): string => `{"iss":"x","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const size = [
  ...mutants('AUTHN_TOKEN_TOO_LARGE', [
    ['16 KiB and one byte, genuine', (workshop) => ofLength(LIMIT + 1, workshop), NO_LIMIT],
    ['30 kB, genuine', (workshop) => ofLength(30_000, workshop), NO_LIMIT],
    ['20,000 letters', () => 'A'.repeat(20_000)],
    ['20,000 dots', () => '.'.repeat(20_000)],
  ]),
  ...mutants('AUTHN_TOKEN_MALFORMED', [
    ['15,000 dots', () => '.'.repeat(15_000)],
    ['16 KiB of letters', () => 'A'.repeat(LIMIT)],
    [
      '16 KiB of backslashes and quotes',
      () => `${Buffer.from(`{"${'\\"'.repeat(6_000)}`).toString('base64url')}.e30.AA`,
    ],
  ]),
  ...mutants('AUTHN_ISSUER_UNKNOWN', [
    [
      'lists in lists, 5,000 deep, unsigned',
      ({ key }) => assembleToken({ kid: key.kid, alg: 'RS256' }, nested(5_000), () => Buffer.alloc(256)),
    ],
    [
      'a thousand claims, unsigned',
      ({ key }) =>
        assembleToken(
          { kid: key.kid, alg: 'RS256' },
          { iss: 'x', ...Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`c${i}`, i])) },
          () => Buffer.alloc(256),
        ),
    ],
  ]),
];

export const timeAndSizeMutants: readonly Mutant[] = [...time, ...size];
