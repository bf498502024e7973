import { RefusalError } from '../core/refusal.ts';
import type { CallQuota } from './call-quota.ts';
import { type CallParty, isNotFound, isTransient, readAwsError } from './read-aws-error.ts';

/**
 * Makes one call to a service within its quota, tried once more where the connection or the service stumbled.
 * @param secrets texts that are sent, none of which may show up in the log
 * @throws RefusalError with what the failure means for the request; what was not found is thrown as it is
 */
export type CallService = <T>(
  party: CallParty,
  secrets: readonly string[],
  work: () => Promise<T>,
) => Promise<T>;

export function createCallService(quota: CallQuota): CallService {
  return async (party, secrets, work) => {
    for (let attempt = 1; ; attempt++) {
      const why = await quota.turn();
      if (why !== null) throw new RefusalError(why);
      try {
        const result = await work();
        quota.recovered();
        return result;
      } catch (error) {
        if (isNotFound(error)) throw error;
        if (attempt === 1 && isTransient(error)) continue;
        const refusal = readAwsError(error, party, secrets);
        if (refusal.kind === 'fault') quota.backOff(refusal);
        throw new RefusalError(refusal);
      }
    }
  };
}
