import { assembleToken, makeKey, rs256, type SigningKey } from '../../support/token-factory.ts';
import { type Mutant, mutants, type UnusableKeys } from './workshop.ts';

/** Signed in earnest, by a key that is published for the pool and yet must not count. */
const signedBy =
  (name: keyof UnusableKeys): Mutant['make'] =>
  ({ access, unusable }) =>
    by(unusable[name], access());

const by = (key: SigningKey, claims: unknown): string =>
  assembleToken({ alg: 'RS256', kid: key.kid }, claims, rs256(key));

export const keyMutants: readonly Mutant[] = [
  ...mutants('AUTHN_KEY_UNKNOWN', [
    [
      'by a published key without alg',
      signedBy('withoutAlg'),
      'it lets such a key verify any algorithm; Cognito says alg of all of its keys',
    ],
    [
      'by a published key without use',
      signedBy('withoutUse'),
      'it lets such a key verify signatures; Cognito says use of all of its keys',
    ],
    ['by a published key for encryption', signedBy('forEncryption')],
    ['by a published key for RS512', signedBy('forRs512')],
    [
      'by a published key of 1024 bits',
      signedBy('small'),
      'it asks for no length; RFC 7518 section 3.3 asks for 2048 bits',
    ],
    [
      "by the emulator's key, whose private half is on npm",
      signedBy('emulator'),
      'it does not know that key; nobody but a developer at the emulator should trust it',
    ],
    [
      'RS256 by name, ECDSA in fact',
      ({ access, unusable: { elliptic } }) =>
        assembleToken({ alg: 'RS256', kid: elliptic.kid }, access(), () => Buffer.alloc(64, 1)),
    ],
    [
      'RS256 by name, for a symmetric key of the set',
      ({ access, unusable: { symmetric } }) => by(symmetric, access()),
    ],
    ["by the other pool's key, in its own name", ({ id, key }) => by(key, id())],
  ]),
  ...mutants('AUTHN_SIGNATURE_INVALID', [
    ['by another key of the same name', ({ access, key }) => by(makeKey(key.kid), access())],
    [
      "by the other pool's key, under this one's name",
      ({ access, key, otherPoolsKey }) => by({ ...otherPoolsKey, kid: key.kid }, access()),
    ],
    [
      "by this pool's key, as the other pool, under its key's name",
      ({ id, key, otherPoolsKey }) => by({ ...key, kid: otherPoolsKey.kid }, id()),
    ],
  ]),
];
