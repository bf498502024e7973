import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer } from '../support/proxy.ts';
import { type SigningStack, startSigningStack } from '../support/signing-stack.ts';

describe('an upstream that trusts signatures only', () => {
  let stack: SigningStack;
  beforeAll(async () => {
    stack = await startSigningStack();
  });
  afterAll(() => stack.stop());

  it('sees each caller as their own identity', async () => {
    const answer = await stack.proxy.request('GET /items/1?b=2&a=1 HTTP/1.1', [
      bearer(stack.idToken('alice')),
    ]);
    expect(answer.status, answer.text).toBe(200);
    const alice = stack.identity();
    await stack.proxy.request('GET /items/1 HTTP/1.1', [bearer(stack.idToken('bob'))]);
    expect(stack.identity()).not.toBe(alice);
    expect(stack.upstream.judgedTwice).toBe(2);
  });
});
