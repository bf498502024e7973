import { signToken, type TokenClaims } from '../../support/token-factory.ts';
import { type Mutant, mutants } from './workshop.ts';

const access =
  (changes: TokenClaims): Mutant['make'] =>
  (workshop) =>
    workshop.sign(workshop.access(changes));

const id =
  (changes: TokenClaims): Mutant['make'] =>
  (workshop) =>
    signToken(workshop.otherPoolsKey, workshop.id(changes));

const issued =
  (issuer: (genuine: string) => unknown): Mutant['make'] =>
  (workshop) =>
    workshop.sign(workshop.access({ iss: issuer(workshop.issuer) }));

const issuers = [
  ...mutants('AUTHN_CLAIMS_INVALID', [
    ['no iss', issued(() => undefined)],
    ['iss null', issued(() => null)],
    ['iss a list', issued((issuer) => [issuer])],
    ['iss a number', issued(() => 7)],
  ]),
  ...mutants('AUTHN_ISSUER_UNKNOWN', [
    ['iss empty', issued(() => '')],
    ['iss with a slash at the end', issued((issuer) => `${issuer}/`)],
    ['iss with a space at the end', issued((issuer) => `${issuer} `)],
    ['iss in upper case', issued((issuer) => issuer.toUpperCase())],
    ['iss with the pool id in another case', issued((issuer) => issuer.replace('ApiApi', 'apiapi'))],
    ['iss over http', issued((issuer) => issuer.replace('https:', 'http:'))],
    ['iss with a port', issued((issuer) => issuer.replace('.com/', '.com:443/'))],
    ['iss with a user', issued((issuer) => issuer.replace('https://', 'https://evil.test@'))],
    ['iss with a query', issued((issuer) => `${issuer}?`)],
    ['iss with a fragment', issued((issuer) => `${issuer}#`)],
    ['iss with dots', issued((issuer) => issuer.replace('/us-east-1_', '/x/../us-east-1_'))],
    ['iss with a longer host', issued((issuer) => issuer.replace('.com/', '.com.evil.test/'))],
    ['iss of another region', issued((issuer) => issuer.replaceAll('us-east-1', 'eu-west-1'))],
    ['iss of a pool that is not configured', issued((issuer) => issuer.replace('ApiApi001', 'Attack003'))],
    ['iss the pool id alone', issued((issuer) => issuer.split('/').at(-1))],
    ['iss __proto__', issued(() => '__proto__')],
  ]),
  // The key is looked up among that pool's own.
  ...mutants('AUTHN_KEY_UNKNOWN', [
    [
      'iss of another pool that is configured',
      ({ sign, access: claims, otherPoolsIssuer }) => sign(claims({ iss: otherPoolsIssuer })),
    ],
  ]),
];

const uses = [
  ...mutants('AUTHN_CLAIMS_INVALID', [
    ['no token_use', access({ token_use: undefined })],
    ['token_use null', access({ token_use: null })],
    ['token_use refresh', access({ token_use: 'refresh' })],
    ['token_use ACCESS', access({ token_use: 'ACCESS' })],
    ['token_use a list', access({ token_use: ['access'] })],
  ]),
  ...mutants('AUTHN_TOKEN_USE_MISMATCH', [
    ['an ID token where access tokens are expected', access({ token_use: 'id', aud: '1example23456789' })],
    [
      'an access token where ID tokens are expected',
      id({ token_use: 'access', client_id: '2example23456789' }),
    ],
  ]),
];

const clients = [
  ...mutants('AUTHN_CLAIMS_INVALID', [
    ['no client_id', access({ client_id: undefined })],
    ['client_id null', access({ client_id: null })],
    ['client_id empty', access({ client_id: '' })],
    ['client_id a list', access({ client_id: ['1example23456789'] })],
    ['client_id a number', access({ client_id: 1 })],
    ['aud instead of client_id', access({ client_id: undefined, aud: '1example23456789' })],
    ['no aud', id({ aud: undefined })],
    ['aud null', id({ aud: null })],
    ['aud empty', id({ aud: '' })],
    ['aud a list with the client', id({ aud: ['2example23456789'] })],
    ['aud a list with the client and another', id({ aud: ['2example23456789', 'another'] })],
    ['client_id instead of aud', id({ aud: undefined, client_id: '2example23456789' })],
  ]),
  ...mutants('AUTHN_CLIENT_MISMATCH', [
    ['client_id of another client', access({ client_id: 'another' })],
    ['client_id with more at the end', access({ client_id: '1example234567890' })],
    ['client_id with less at the end', access({ client_id: '1example2345678' })],
    ['client_id in upper case', access({ client_id: '1EXAMPLE23456789' })],
    ["client_id of the other pool's client", access({ client_id: '2example23456789' })],
    ['aud of another client', id({ aud: 'another' })],
    ['aud the client among others, in one text', id({ aud: '2example23456789 another' })],
  ]),
];

const NOT_LOOKED_AT =
  'it leaves this claim to its caller; rules and identity headers of ours rely on its type';

const types = mutants('AUTHN_CLAIMS_INVALID', [
  ['no sub', access({ sub: undefined }), NOT_LOOKED_AT],
  ['sub empty', access({ sub: '' }), NOT_LOOKED_AT],
  ['sub null', access({ sub: null })],
  ['sub a number', access({ sub: 7 })],
  ['username a number', access({ username: 7 }), NOT_LOOKED_AT],
  ['username a list', access({ username: ['alice'] }), NOT_LOOKED_AT],
  ['cognito:username an object', id({ 'cognito:username': {} }), NOT_LOOKED_AT],
  ['groups a text', access({ 'cognito:groups': 'admins' }), NOT_LOOKED_AT],
  ['groups an object', access({ 'cognito:groups': { admins: true } }), NOT_LOOKED_AT],
  ['groups with a number', access({ 'cognito:groups': ['admins', 7] }), NOT_LOOKED_AT],
  ['groups in a list in a list', access({ 'cognito:groups': [['admins']] }), NOT_LOOKED_AT],
  ['scope a list', access({ scope: ['posts/write'] })],
  ['scope null', access({ scope: null })],
  ['jti a number', access({ jti: 7 })],
  ['aud of an access token a number', access({ aud: 7 })],
  ['aud of an access token a list of numbers', access({ aud: [7] })],
]);

/** A payload of one's own, as text. */
const payload =
  (text: string | Buffer | ((claims: string) => string | Buffer)): Mutant['make'] =>
  ({ signText, access: claims }) =>
    signText(
      '{"kid":"genuine","alg":"RS256"}',
      typeof text === 'function' ? text(JSON.stringify(claims())) : text,
    );

const LAST_WINS = 'of two members with one name it believes the last; others believe the first';

const form = [
  ...mutants('AUTHN_TOKEN_MALFORMED', [
    ['payload not JSON', payload('sub=alice')],
    ['payload a list', payload((claims) => `[${claims}]`)],
    ['payload a text', payload((claims) => JSON.stringify(claims))],
    ['payload null', payload('null')],
    ['payload a number', payload('1')],
    ['payload cut short', payload((claims) => claims.slice(0, -1))],
    ['payload with a byte order mark', payload((claims) => `\ufeff${claims}`)],
    [
      'payload not UTF-8',
      payload((claims) =>
        Buffer.concat([
          Buffer.from(`${claims.slice(0, -1)},"x":"`),
          Buffer.from([0xc3, 0x28]),
          Buffer.from('"}'),
        ]),
      ),
      'it puts a replacement character in the place of what is not UTF-8',
    ],
    ['client_id twice', payload((claims) => claims.replace('{', '{"client_id":"another",')), LAST_WINS],
    ['token_use twice', payload((claims) => claims.replace('{', '{"token_use":"id",')), LAST_WINS],
    ['sub twice, once escaped', payload((claims) => claims.replace('{', '{"\\u0073ub":"root",')), LAST_WINS],
    [
      'a name twice inside a claim',
      payload((claims) => claims.replace('{', '{"x":{"y":1,"y":2},')),
      LAST_WINS,
    ],
  ]),
  ...mutants('AUTHN_CLAIMS_INVALID', [
    ['payload empty', payload('{}')],
    ['claims inherited', payload((claims) => `{"__proto__":${claims}}`)],
    [
      'one claim inherited',
      payload((claims) => claims.replace('"token_use":"access"', '"__proto__":{"token_use":"access"}')),
    ],
  ]),
];

export const claimMutants: readonly Mutant[] = [...issuers, ...uses, ...clients, ...types, ...form];
