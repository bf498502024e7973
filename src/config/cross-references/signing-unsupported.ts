import type { Check } from './check.ts';

/** What is not built yet is refused by name, never ignored. */
export const signingUnsupported: Check = (draft) =>
  [...draft.upstreams].flatMap(([name, upstream]) =>
    upstream?.sign === undefined
      ? []
      : [{ path: ['upstreams', name, 'sign'], message: 'signing is not supported yet', at: 'key' as const }],
  );
