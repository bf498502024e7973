import { afterAll, beforeAll } from 'vitest';
import { type SigningStack, type SigningStackOptions, startSigningStack } from './signing-stack.ts';

/** A signing stack for the tests of one file or `describe`; call the result inside tests for it. */
export function useSigningStack(options: SigningStackOptions = {}): () => SigningStack {
  let stack: SigningStack | undefined;
  beforeAll(async () => {
    stack = await startSigningStack(options);
  });
  afterAll(() => stack?.stop());
  return () => {
    if (stack === undefined) throw new Error('the stack is there only while tests run');
    return stack;
  };
}

/** The code in a refusal's body. */
export function codeIn(answer: { readonly text: string }): unknown {
  return (JSON.parse(answer.text) as { readonly code?: unknown }).code;
}
