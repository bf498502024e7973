import { outboundOf, type Stage } from '../core/exchange.ts';
import { fault } from '../core/refusal.ts';

/** The stage that signs what leaves. Upstreams that are to be signed are refused: the configuration does not let them in. */
export function createSignStage(): Stage {
  return {
    name: 'sign',
    run: (exchange) =>
      outboundOf(exchange).upstream.sign === null
        ? undefined
        : fault('SIGN_UNSUPPORTED', new Error('not built')),
  };
}
