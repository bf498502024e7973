import { startKeyServer } from '../../test/support/key-server.ts';
import {
  accessClaims,
  makeKey,
  type SigningKey,
  signToken,
  type TokenClaims,
} from '../../test/support/token-factory.ts';
import { CLIENT_ID, USER_POOL_ID } from '../world/tokens.ts';

/** A user, with the token that is theirs now. */
export interface Caller {
  readonly username: string;
  readonly sub: string;
  readonly groups: string;
  readonly token: string;
}

/** The user pool: its users, and its keys, which change as it goes. */
export interface Callers {
  readonly issuer: string;
  /** The next caller, with a token by the key that is in use. */
  next(): Caller;
  /** A token that is refused, by what is wrong with it; undefined while there is none. */
  bad(what: BadToken): string | undefined;
  /** Turns the keys on by one: publishes the next one, uses the one published before, takes the oldest away. */
  rotate(): void;
  stop(): Promise<void>;
}

export type BadToken = 'forged' | 'expired' | 'elsewhere' | 'invented' | 'removed';

const USERS = 500;

/** Tokens signed in a turn of all users while those by an older key are replaced: a signature takes most of a millisecond. */
const SIGNED_AT_ONCE = 20;

/** The keys of which three are published: one not used yet, the one in use, and the one before. */
const PUBLISHED = 3;

/** @param tls certificate and key of the server that publishes the keys */
export async function startCallers(tls: { cert: string; key: string }): Promise<Callers> {
  const server = await startKeyServer(tls);
  const issuer = server.issuer(USER_POOL_ID);
  const keys: SigningKey[] = [makeKey('key-0'), makeKey('key-1')];
  server.publish(keys);
  let generation = 0;
  let cursor = 0;
  let signed = 0;

  const claimsOf = (username: string, changes: TokenClaims = {}): TokenClaims =>
    accessClaims(
      { issuer, clientId: CLIENT_ID, username, groups: [`team-${username}`, 'readers'], lifetime: 86_400 },
      changes,
    );
  const current = (): SigningKey => keys[keys.length - 2] as SigningKey;
  const callers = Array.from({ length: USERS }, (_, i) => {
    const username = `user-${i}`;
    const claims = claimsOf(username);
    return {
      username,
      sub: String(claims['sub']),
      groups: `team-${username},readers`,
      token: signToken(current(), claims),
      generation: 0,
    };
  });
  const bad = makeBadTokens(claimsOf, current);
  let removed: string | undefined;

  return {
    issuer,
    next() {
      const caller = callers[cursor++ % USERS] as (typeof callers)[number];
      // Each turn of all users brings some of them a token by the newest key; none is left with one by a key that goes.
      if (cursor % USERS === 0) signed = 0;
      const overdue = caller.generation < generation - 1;
      if (overdue || (caller.generation < generation && signed < SIGNED_AT_ONCE)) {
        signed += 1;
        caller.generation = generation;
        caller.token = signToken(current(), claimsOf(caller.username));
      }
      return caller;
    },
    bad: (what) => (what === 'removed' ? removed : bad(what)),
    rotate() {
      keys.push(makeKey(`key-${keys.length}`));
      generation += 1;
      const published = keys.slice(-PUBLISHED);
      server.publish(published);
      const gone = keys.at(-PUBLISHED - 2);
      // Gone for a whole turn, so that the proxy has heard of it.
      if (gone !== undefined) removed = signToken(gone, claimsOf('removed'));
    },
    stop: () => server.stop(),
  };
}

function makeBadTokens(
  claimsOf: (username: string, changes?: TokenClaims) => TokenClaims,
  current: () => SigningKey,
): (what: Exclude<BadToken, 'removed'>) => string {
  const past = Math.floor(Date.now() / 1000) - 7_200;
  const invented = signToken(makeKey('stranger'), claimsOf('mallory'));
  const made = new Map<string, string>();
  let number = 0;

  /** One for each key that was in use: keys go, and another refusal would come before the one that is meant. */
  const once = (name: string, changes: TokenClaims = {}): string => {
    const key = current();
    const token = made.get(name + key.kid) ?? signToken(key, claimsOf(name, changes));
    made.set(name + key.kid, token);
    return token;
  };

  return (what) => {
    switch (what) {
      case 'expired':
        return once('late', { iat: past - 3_600, exp: past });
      case 'elsewhere':
        return once('stray', { client_id: 'another-client' });
      case 'forged': {
        // One caller's claims with another's signature.
        const [header = '', payload = ''] = once('mallory').split('.');
        return `${header}.${payload}.${once('alice').split('.')[2] ?? ''}`;
      }
      case 'invented': {
        const [, payload = '', signature = ''] = invented.split('.');
        const header = Buffer.from(JSON.stringify({ kid: `invented-${number++}`, alg: 'RS256' }));
        return `${header.toString('base64url')}.${payload}.${signature}`;
      }
    }
  };
}
