import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { assembleToken, makeKey, rs256, type TokenClaims } from '../../support/token-factory.ts';
import { type Mutant, mutants, SYMMETRIC_SECRET, type Workshop } from './workshop.ts';

const NO_SIGNATURE = Buffer.alloc(0);

const unsigned =
  (alg: string): Mutant['make'] =>
  ({ access, key }) =>
    assembleToken({ alg, kid: key.kid }, access(), () => NO_SIGNATURE);

/** A MAC keyed by something that everybody knows. */
const hmac =
  (alg: 'HS256' | 'HS384' | 'HS512', secret: (publicKey: KeyObject, workshop: Workshop) => Buffer | string) =>
  (workshop: Workshop): string =>
    assembleToken({ alg, kid: workshop.key.kid }, workshop.access(), (input) =>
      createHmac(`sha${alg.slice(2)}`, secret(workshop.key.publicKey, workshop))
        .update(input)
        .digest(),
    );

const pem =
  (type: 'spki' | 'pkcs1') =>
  (key: KeyObject): Buffer =>
    Buffer.from(key.export({ type, format: 'pem' }));
const der =
  (type: 'spki' | 'pkcs1') =>
  (key: KeyObject): Buffer =>
    Buffer.from(key.export({ type, format: 'der' }));

/** Signed in earnest, with the genuine private key, by another algorithm. */
const signedWith =
  (alg: string, digest: string, padding?: number): Mutant['make'] =>
  ({ access, key }) =>
    assembleToken({ alg, kid: key.kid }, access(), (input) =>
      sign(digest, input, { key: key.privateKey, ...(padding !== undefined && { padding, saltLength: 32 }) }),
    );

const elliptic: Mutant['make'] = ({ access, unusable: { elliptic: key } }) =>
  assembleToken({ alg: 'ES256', kid: key.kid }, access(), (input) =>
    sign('sha256', input, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }),
  );

const edwards: Mutant['make'] = ({ access, key }) =>
  assembleToken({ alg: 'EdDSA', kid: key.kid }, access(), (input) =>
    sign(null, input, generateKeyPairSync('ed25519').privateKey),
  );

const algorithm = mutants('AUTHN_ALGORITHM_UNSUPPORTED', [
  ['alg none', unsigned('none')],
  ['alg None', unsigned('None')],
  ['alg NONE', unsigned('NONE')],
  ['alg nOnE', unsigned('nOnE')],
  ['alg none over a genuine signature', ({ sign, access }) => sign(access(), { alg: 'none' })],
  ['no alg', ({ sign, access }) => sign(access(), { alg: undefined })],
  ['alg null', ({ sign, access }) => sign(access(), { alg: null })],
  ['alg empty', ({ sign, access }) => sign(access(), { alg: '' })],
  ['alg a list', ({ sign, access }) => sign(access(), { alg: ['RS256'] })],
  ['alg true', ({ sign, access }) => sign(access(), { alg: true })],
  ['alg rs256', ({ sign, access }) => sign(access(), { alg: 'rs256' })],
  ['alg RS256 with a space', ({ sign, access }) => sign(access(), { alg: 'RS256 ' })],
  [
    'alg inherited',
    ({ signText, access }) =>
      signText('{"kid":"genuine","__proto__":{"alg":"RS256"}}', JSON.stringify(access())),
  ],
  ['RS384', signedWith('RS384', 'sha384')],
  ['RS512', signedWith('RS512', 'sha512')],
  ['PS256', signedWith('PS256', 'sha256', constants.RSA_PKCS1_PSS_PADDING)],
  [
    'ES256 by a key of the set',
    elliptic,
    'it verifies by whatever algorithm the published key is for; Cognito signs with RS256 alone',
  ],
  ['EdDSA', edwards],
  ['HS256 keyed by the public key as PEM', hmac('HS256', pem('spki'))],
  [
    'HS256 keyed by the public key as PEM without its last line end',
    hmac('HS256', (key) => pem('spki')(key).toString().trimEnd()),
  ],
  ['HS256 keyed by the public key as PEM, PKCS #1', hmac('HS256', pem('pkcs1'))],
  ['HS256 keyed by the public key as DER', hmac('HS256', der('spki'))],
  ['HS256 keyed by the public key as DER, PKCS #1', hmac('HS256', der('pkcs1'))],
  ['HS256 keyed by the public key as JWK', hmac('HS256', (_, { key }) => JSON.stringify(key.jwk))],
  [
    'HS256 keyed by the modulus',
    hmac('HS256', (_, { key }) => Buffer.from(String(key.jwk['n']), 'base64url')),
  ],
  ['HS256 keyed by nothing', hmac('HS256', () => '')],
  ['HS384 keyed by the public key as PEM', hmac('HS384', pem('spki'))],
  ['HS512 keyed by the public key as PEM', hmac('HS512', pem('spki'))],
  [
    'HS256 by a symmetric key of the set',
    ({ access }) =>
      assembleToken({ alg: 'HS256', kid: 'symmetric' }, access(), (input) =>
        createHmac('sha256', SYMMETRIC_SECRET).update(input).digest(),
      ),
  ],
]);

/** A token by a key of the attacker's own, who tells us where to find it. */
const selfSigned =
  (header: (own: ReturnType<typeof makeKey>) => TokenClaims): Mutant['make'] =>
  ({ access, key }) => {
    const own = makeKey(key.kid);
    return assembleToken({ alg: 'RS256', kid: key.kid, ...header(own) }, access(), rs256(own));
  };

const IGNORED =
  'it does not look at this member of the header; we trust no token that has a say in its own verification';
const CRIT =
  'it does not look at crit, of which RFC 7515 section 4.1.11 says that what it names must be understood';

const extensions = mutants('AUTHN_HEADER_UNSUPPORTED', [
  ['jwk, and signed by it', selfSigned((own) => ({ jwk: own.publicKey.export({ format: 'jwk' }) }))],
  ['jwk beside a genuine signature', ({ sign, access, key }) => sign(access(), { jwk: key.jwk }), IGNORED],
  ['jku, and signed by a key there', selfSigned(() => ({ jku: 'https://evil.test/jwks.json' }))],
  [
    'jku beside a genuine signature',
    ({ sign, access, issuer }) => sign(access(), { jku: `${issuer}/.well-known/jwks.json` }),
    IGNORED,
  ],
  ['x5u, and signed by a key there', selfSigned(() => ({ x5u: 'https://evil.test/chain.pem' }))],
  [
    'x5u beside a genuine signature',
    ({ sign, access }) => sign(access(), { x5u: 'https://evil.test/chain.pem' }),
    IGNORED,
  ],
  [
    'x5c, and signed by it',
    selfSigned((own) => ({
      x5c: [own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    })),
  ],
  ['x5c beside a genuine signature', ({ sign, access }) => sign(access(), { x5c: [] }), IGNORED],
  ['crit that names a claim', ({ sign, access }) => sign(access(), { crit: ['exp'], exp: 0 }), CRIT],
  ['crit that names nothing', ({ sign, access }) => sign(access(), { crit: [] }), CRIT],
  ['crit null', ({ sign, access }) => sign(access(), { crit: null }), CRIT],
  ['crit with b64 false', ({ sign, access }) => sign(access(), { crit: ['b64'], b64: false }), CRIT],
  ['b64 alone', ({ sign, access }) => sign(access(), { b64: true }), IGNORED],
]);

const keyIds = [
  ...mutants('AUTHN_TOKEN_MALFORMED', [
    ['no kid', ({ sign, access }) => sign(access(), { kid: undefined })],
    ['kid empty', ({ sign, access }) => sign(access(), { kid: '' })],
    ['kid null', ({ sign, access }) => sign(access(), { kid: null })],
    ['kid a number', ({ sign, access }) => sign(access(), { kid: 7 })],
    ['kid a list', ({ sign, access }) => sign(access(), { kid: ['genuine'] })],
    ['kid of 257 characters', ({ sign, access }) => sign(access(), { kid: 'k'.repeat(257) })],
    [
      'kid inherited',
      ({ signText, access }) =>
        signText('{"alg":"RS256","__proto__":{"kid":"genuine"}}', JSON.stringify(access())),
    ],
  ]),
  ...mutants('AUTHN_KEY_UNKNOWN', [
    ['kid unknown', ({ sign, access }) => sign(access(), { kid: 'invented' })],
    ['kid __proto__', ({ sign, access }) => sign(access(), { kid: '__proto__' })],
    ['kid constructor', ({ sign, access }) => sign(access(), { kid: 'constructor' })],
    ['kid in another case', ({ sign, access }) => sign(access(), { kid: 'Genuine' })],
    ['kid with a space', ({ sign, access }) => sign(access(), { kid: 'genuine ' })],
    ['kid a path', ({ sign, access }) => sign(access(), { kid: '../../../../dev/null' })],
    ['kid an SQL statement', ({ sign, access }) => sign(access(), { kid: "x' UNION SELECT 'key" })],
    [
      'kid of another pool',
      ({ access, otherPoolsKey }) =>
        assembleToken({ alg: 'RS256', kid: otherPoolsKey.kid }, access(), rs256(otherPoolsKey)),
    ],
  ]),
];

/** Reads the header's JSON in its own way. */
const withHeader =
  (header: string | Buffer): Mutant['make'] =>
  ({ signText, access }) =>
    signText(header, JSON.stringify(access()));

const GOOD = '{"kid":"genuine","alg":"RS256"}';
const LAST_WINS = 'of two members with one name it believes the last; others believe the first';

const form = mutants('AUTHN_TOKEN_MALFORMED', [
  ['header not JSON', withHeader('kid=genuine&alg=RS256')],
  ['header cut short', withHeader(GOOD.slice(0, -1))],
  ['header with more after it', withHeader(`${GOOD}{}`)],
  ['header with a comma too many', withHeader('{"kid":"genuine","alg":"RS256",}')],
  ['header in single quotes', withHeader(GOOD.replaceAll('"', "'"))],
  ['header with a comment', withHeader(`/**/${GOOD}`)],
  ['header a list', withHeader(`[${GOOD}]`)],
  ['header a string', withHeader(JSON.stringify(GOOD))],
  ['header null', withHeader('null')],
  ['header a number', withHeader('7')],
  ['header with a byte order mark', withHeader(`\ufeff${GOOD}`)],
  ['header in UTF-16', withHeader(Buffer.from(GOOD, 'utf16le'))],
  [
    'header not UTF-8',
    withHeader(
      Buffer.concat([
        Buffer.from('{"kid":"genuine","alg":"RS256","x":"'),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ]),
    ),
    'it puts a replacement character in the place of what is not UTF-8',
  ],
  ['alg twice, the good one last', withHeader('{"kid":"genuine","alg":"none","alg":"RS256"}'), LAST_WINS],
  ['alg twice, the good one first', withHeader('{"kid":"genuine","alg":"RS256","alg":"none"}')],
  ['alg twice, once escaped', withHeader('{"kid":"genuine","\\u0061lg":"none","alg":"RS256"}'), LAST_WINS],
  ['kid twice', withHeader('{"kid":"invented","kid":"genuine","alg":"RS256"}'), LAST_WINS],
  ['a name twice deep inside', withHeader('{"kid":"genuine","alg":"RS256","x":[{"y":1,"y":2}]}'), LAST_WINS],
]);

export const headerMutants: readonly Mutant[] = [...algorithm, ...extensions, ...keyIds, ...form];
