import { constants, sign } from 'node:crypto';
import { assembleToken, type Signer, type TokenClaims } from '../../support/token-factory.ts';
import { type Mutant, mutants, type Workshop } from './workshop.ts';

/** Something else in the place of the genuine signature. */
const replaced =
  (change: (genuine: Buffer, workshop: Workshop) => Buffer): Mutant['make'] =>
  (workshop) => {
    const { key, access } = workshop;
    const signer: Signer = (input) => change(sign('sha256', input, key.privateKey), workshop);
    return assembleToken({ kid: key.kid, alg: 'RS256' }, access(), signer);
  };

const flipped =
  (at: number, bit: number) =>
  (signature: Buffer): Buffer => {
    const changed = Buffer.from(signature);
    changed[at] = (changed[at] ?? 0) ^ bit;
    return changed;
  };

/** Signed by the genuine key in another way. */
const otherwise =
  (
    digest: string,
    options: { readonly padding?: number; readonly saltLength?: number } = {},
  ): Mutant['make'] =>
  ({ key, access }) =>
    assembleToken({ kid: key.kid, alg: 'RS256' }, access(), (input) =>
      sign(digest, input, { key: key.privateKey, ...options }),
    );

/** A genuine token whose payload, or header, was changed afterwards. */
const tampered =
  (changes: TokenClaims): Mutant['make'] =>
  ({ genuine, access }) => {
    const [header = '', , signature = ''] = genuine().split('.');
    return [header, encode(access(changes)), signature].join('.');
  };

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');

export const signatureMutants: readonly Mutant[] = mutants('AUTHN_SIGNATURE_INVALID', [
  ['first bit changed', replaced(flipped(0, 0x80))],
  ['a bit in the middle changed', replaced(flipped(128, 0x10))],
  ['last bit changed', replaced(flipped(255, 0x01))],
  ['one byte short', replaced((signature) => signature.subarray(0, 255))],
  ['first byte missing', replaced((signature) => signature.subarray(1))],
  ['one byte more', replaced((signature) => Buffer.concat([signature, Buffer.alloc(1)]))],
  ['a zero byte in front', replaced((signature) => Buffer.concat([Buffer.alloc(1), signature]))],
  ['twice the signature', replaced((signature) => Buffer.concat([signature, signature]))],
  ['bytes in reverse', replaced((signature) => Buffer.from(signature).reverse())],
  ['one byte', replaced(() => Buffer.from([1]))],
  ['all zero', replaced(() => Buffer.alloc(256))],
  ['all one', replaced(() => Buffer.alloc(256, 0xff))],
  ['the modulus itself', replaced((_, { key }) => Buffer.from(String(key.jwk['n']), 'base64url'))],
  [
    "another token's",
    replaced((_, { sign: signed, access }) =>
      Buffer.from(signed(access({ jti: 'another' })).split('.')[2] ?? '', 'base64url'),
    ),
  ],
  [
    'over the payload alone',
    replaced((_, { key, access }) => sign('sha256', Buffer.from(encode(access())), key.privateKey)),
  ],
  ['with SHA-1', otherwise('sha1')],
  ['with SHA-512', otherwise('sha512')],
  ['with PSS padding', otherwise('sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })],
  ['another user in the payload', tampered({ sub: 'somebody-else', username: 'root' })],
  ['more groups in the payload', tampered({ 'cognito:groups': ['admins'] })],
  ['a later end in the payload', tampered({ exp: 4_000_000_000 })],
  [
    'a member added to the header',
    ({ genuine, key }) => {
      const [, ...rest] = genuine().split('.');
      return [encode({ kid: key.kid, alg: 'RS256', typ: 'JWT' }), ...rest].join('.');
    },
  ],
]);
