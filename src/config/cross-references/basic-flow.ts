import type { Check } from './check.ts';

/** The basic flow assumes a role of its own choosing, so it must be told which; the enhanced flow never would use it. */
export const basicFlow: Check = (draft) =>
  [...draft.identityPools].flatMap(([name, pool]) => {
    if (pool === null || (pool.flow === 'basic') === (pool.roleArn !== undefined)) return [];
    const path = ['identityPools', name, 'roleArn'];
    if (pool.flow === 'enhanced') return [{ path, message: 'is for flow: basic only' }];
    return [{ path, message: 'is missing: the basic flow needs a role to assume', at: 'parent' as const }];
  });
