import type { ReceivedHead, SignatureJudge } from './sample-upstream.ts';
import type { Rejection } from './verify-payload.ts';
import { createSignatureVerifier, type SignatureVerifierOptions } from './verify-signature.ts';

/** Has the sample upstream say of every request whether its signature is right. */
export function createSignatureJudge(
  options: SignatureVerifierOptions,
): (head: ReceivedHead) => SignatureJudge {
  const verifier = createSignatureVerifier(options);
  return (head) => {
    const verdict = verifier.verify(head);
    if (!verdict.valid) return { update: () => undefined, end: () => report(verdict) };
    const { accessKeyId, payload } = verdict;
    return {
      update: (bytes) => payload.update(bytes),
      end() {
        const rejection = payload.end();
        return rejection === null ? { present: true, valid: true, accessKeyId } : report(rejection);
      },
    };
  };
}

function report({ code, reason }: Rejection): ReturnType<SignatureJudge['end']> {
  return code === 'MissingAuthenticationToken'
    ? { present: false }
    : { present: true, valid: false, code, reason };
}
