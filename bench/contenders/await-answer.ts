import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from '../processes.ts';

/** Milliseconds for a contender to answer. */
const DEADLINE = 30_000;

/** Milliseconds between two attempts. */
const INTERVAL = 5;

/**
 * Waits until an address answers with 200.
 * @param token sent with the request, unless null
 * @throws when the process ends first, or takes too long
 */
export async function awaitAnswer(
  child: Child,
  url: string,
  token: string | null,
  name: string,
): Promise<void> {
  let failure: string | null | undefined;
  void child.ended.then((how) => {
    failure = how;
  });
  const headers = { connection: 'close', ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const deadline = performance.now() + DEADLINE;
  while (performance.now() < deadline) {
    if (failure !== undefined) throw new Error(`${name} ${failure ?? 'ended'}\n${child.complaint()}`);
    const status = await fetch(url, { headers }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    await pause(INTERVAL);
  }
  throw new Error(`${name} did not answer within ${DEADLINE / 1000} s\n${child.complaint()}`);
}
