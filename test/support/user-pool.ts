import { afterAll, beforeAll } from 'vitest';
import { type PopulatedUserPool, populateUserPool } from '../../src/dev/sign-in.ts';
import { startUserPoolEmulator, type UserPoolEmulator } from '../../src/dev/user-pool-emulator.ts';

export interface TestUserPool extends PopulatedUserPool {
  /** Where the emulator's API is. */
  readonly origin: string;
}

/**
 * Starts the user-pool emulator before the tests of the calling file (or `describe`) and stops it after them; call the
 * result inside tests and hooks for the pool with its two signed-in users.
 */
export function useUserPool(): () => TestUserPool {
  let emulator: UserPoolEmulator | undefined;
  let pool: TestUserPool | undefined;

  beforeAll(async () => {
    emulator = await startUserPoolEmulator();
    pool = { origin: emulator.origin, ...(await populateUserPool(emulator.origin)) };
  });
  afterAll(() => emulator?.stop());

  return () => {
    if (pool === undefined) throw new Error('the user pool is there only while tests run');
    return pool;
  };
}
