import { describe, expect, it } from 'vitest';
import { createAuthenticateStage } from '../../../src/authenticate/authenticate-stage.ts';
import { createTokenCache } from '../../../src/authenticate/token-cache.ts';
import type { Verdict } from '../../../src/core/exchange.ts';
import { deny } from '../../../src/core/refusal.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { principal } from '../../support/principal.ts';
import { route } from '../../support/routes.ts';

const TOKEN = 'a.verified.token';

/** The stage with a caller who is known, whose other token is judged like this. */
async function run(enforce: boolean, fromCookie: boolean, second: () => Verdict | Promise<Verdict>) {
  const cache = createTokenCache(10);
  cache.set(TOKEN, principal(), 'kid');
  const stage = createAuthenticateStage({
    findToken: () => ({ token: TOKEN, fromCookie }),
    pools: {} as never,
    cache,
    readIdToken: (made) => {
      made.idToken = { raw: TOKEN, principal: principal() };
      return second();
    },
    clock: createFakeClock(),
    observer: { tokenCacheUsed: () => undefined },
  });
  const made = exchange({ method: 'POST' }, route({ enforce }));
  const verdict = await stage.run(made);
  return { made, verdict };
}

const mismatch = () => deny('AUTHN_ID_TOKEN_MISMATCH');

describe('where a rule is not enforced', () => {
  it.each<readonly [string, () => Verdict | Promise<Verdict>]>([
    ['at once', mismatch],
    ['later', async () => mismatch()],
  ])('a caller whose other token is refused %s is nobody', async (_, second) => {
    const { made, verdict } = await run(false, false, second);
    expect(verdict).toBeUndefined();
    expect(made).toMatchObject({ principal: null, idToken: null, shadow: mismatch() });
  });

  it('a request of another site, by cookie, is of nobody', async () => {
    const { made, verdict } = await run(false, true, () => undefined);
    expect(verdict).toBeUndefined();
    expect(made).toMatchObject({ principal: null, idToken: null, shadow: { code: 'AUTHN_ORIGIN_MISMATCH' } });
  });

  it.each<readonly [string, () => Verdict | Promise<Verdict>]>([
    ['at once', () => undefined],
    ['later', async () => undefined],
  ])('a caller who is accepted %s is known', async (_, second) => {
    const { made } = await run(false, false, second);
    expect(made).toMatchObject({ principal: { username: 'alice' }, shadow: null });
  });

  it('a stage that fails lets nobody through', async () => {
    const fail = async (): Promise<Verdict> => {
      throw new Error('a defect');
    };
    await expect(run(false, false, fail)).rejects.toThrow('a defect');
  });
});

it('where it is enforced, the same are refused', async () => {
  expect((await run(true, false, mismatch)).verdict).toEqual(mismatch());
  expect((await run(true, true, () => undefined)).verdict).toEqual(deny('AUTHN_ORIGIN_MISMATCH'));
  expect((await run(true, false, mismatch)).made.shadow).toBeNull();
});
