import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { parseKeySet } from '../../../src/authenticate/key-set.ts';
import { keySet, makeKey } from '../../support/token-factory.ts';

const one = makeKey('one');
const two = makeKey('two');
const emulator = (
  createRequire(import.meta.url)('cognito-local/lib/keys/cognitoLocal.public.json') as {
    readonly jwk: object;
  }
).jwk;
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

const kidsOf = async (keys: unknown, dev = false): Promise<string[]> => [
  ...(await parseKeySet(JSON.stringify({ keys }), dev)).keys(),
];

describe('parseKeySet', () => {
  it('reads the two keys that a user pool publishes', async () => {
    const keys = await parseKeySet(JSON.stringify(keySet(one, two)), false);
    expect([...keys.keys()]).toEqual(['one', 'two']);
    expect(keys.get('one')?.equals(createPublicKey(one.privateKey))).toBe(true);
  });

  it.each<readonly [string, unknown]>([
    ['without kid', { ...one.jwk, kid: undefined }],
    ['with an empty kid', { ...one.jwk, kid: '' }],
    ['with a kid that is no text', { ...one.jwk, kid: 1 }],
    ['without use', { ...one.jwk, use: undefined }],
    ['for encryption', { ...one.jwk, use: 'enc' }],
    ['without alg', { ...one.jwk, alg: undefined }],
    ['for another algorithm', { ...one.jwk, alg: 'RS512' }],
    ['of another type', { ...elliptic, kid: 'one', use: 'sig', alg: 'RS256' }],
    ['symmetric', { kty: 'oct', k: 'AAAA', kid: 'one', use: 'sig', alg: 'RS256' }],
    ['of 1024 bits', makeKey('one', 1024).jwk],
    ['without modulus', { ...one.jwk, n: undefined }],
    ['without exponent', { ...one.jwk, e: undefined }],
    ['with a modulus that is no number', { ...one.jwk, n: '' }],
    ['null', null],
    ['a text', 'one'],
    ['a list', []],
    ["the emulator's, published with its private half", emulator],
    ["the emulator's under another name", { ...emulator, kid: 'innocent' }],
    [
      "the emulator's with a zero before its modulus",
      { ...emulator, n: `AAAA${(emulator as { n: string }).n}` },
    ],
  ])('passes over a key that is %s', async (_, key) => {
    expect(await kidsOf([key, two.jwk])).toEqual(['two']);
  });

  it("takes the emulator's key in dev", async () => {
    expect(await kidsOf([emulator], true)).toEqual(['CognitoLocal']);
  });

  it('ignores members that it does not know', async () => {
    expect(await kidsOf([{ ...one.jwk, x5t: 'x', key_ops: ['verify'] }])).toEqual(['one']);
  });

  it.each<readonly [string, string, string | RegExp]>([
    ['nothing', '', /JSON/],
    ['a web page', '<html>not keys</html>', /JSON/],
    ['a document cut short', JSON.stringify(keySet(one)).slice(0, -3), /JSON/],
    ['null', 'null', 'not a JSON Web Key Set: no member "keys"'],
    ['a list', '[]', 'not a JSON Web Key Set: no member "keys"'],
    ['an error message', '{"message":"Forbidden"}', 'not a JSON Web Key Set: no member "keys"'],
    ['keys that are no list', '{"keys":{}}', 'not a JSON Web Key Set: no member "keys"'],
    ['no key', '{"keys":[]}', 'the key set holds no usable key: RSA, 2048 bits, use sig, alg RS256, kid'],
    ['too many keys', JSON.stringify({ keys: Array(101).fill(one.jwk) }), 'a key set of 101 keys is refused'],
  ])('refuses %s', async (_, document, message) => {
    await expect(parseKeySet(document, false)).rejects.toThrow(message);
  });
});
