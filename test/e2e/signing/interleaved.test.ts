import { Agent, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { PROVIDER } from '../../support/signing-stack.ts';
import { useSigningStack } from '../../support/use-signing-stack.ts';

const USERS = 500;
const REQUESTS = 10_000;
const AT_ONCE = 32;

/** Always the same order, so that a failure can be looked at again ("Numerical Recipes", a linear congruential generator). */
function createRandom(): (below: number) => number {
  let state = 20_300_101;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('five hundred callers in ten thousand requests', () => {
  const stack = useSigningStack();

  it('each reach the upstream as themselves, and are asked about once', { timeout: 120_000 }, async () => {
    const { proxy, emulator, upstream, idToken } = stack();
    const random = createRandom();
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const callers = Array.from({ length: USERS }, (_, i) => {
      const subject = `subject-${i}`;
      return { subject, token: idToken(`user-${i}`, { sub: subject }) };
    });
    const identities = new Map<string, string>();
    let left = REQUESTS;
    let wrong = 0;

    const ask = (token: string, path: string): Promise<{ readonly accessKeyId: string }> =>
      new Promise((resolve, reject) => {
        const outgoing = request(
          `${proxy.origin}${path}`,
          { agent, headers: { authorization: token } },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part: string) => {
              text += part;
            });
            answer.on('end', () => {
              if (answer.statusCode === 200) resolve(JSON.parse(text) as { accessKeyId: string });
              else reject(new Error(`${answer.statusCode}: ${text}`));
            });
          },
        );
        outgoing.on('error', reject).end();
      });

    const work = async (): Promise<void> => {
      while (left-- > 0) {
        const caller = callers[random(USERS)] as (typeof callers)[number];
        const { accessKeyId } = await ask(caller.token, `/items/${random(1000)}?n=${random(1000)}`);
        const identity = emulator.credentialsOf(accessKeyId)?.identityId ?? '';
        const known = identities.get(caller.subject) ?? identity;
        identities.set(caller.subject, known);
        const [login] = emulator.loginsOf(identity);
        if (identity !== known || login !== `${PROVIDER} ${caller.subject}`) wrong += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    agent.destroy();

    expect(wrong).toBe(0);
    expect(new Set(identities.values()).size).toBe(USERS);
    expect(upstream.requests.length).toBe(REQUESTS);
    expect(upstream.requests.filter((each) => each.verdict !== 'ok')).toEqual([]);
    expect(emulator.count('GetId')).toBe(USERS);
    expect(emulator.count('GetCredentialsForIdentity')).toBe(USERS);
  });
});
