import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';
import { RESERVED } from './header-names.ts';

/** Other providers' tokens come in headers of their own; and one identity pool has one developer provider. */
export const loginProviders: Check = (draft) =>
  [...draft.identityPools].flatMap(([name, pool]) => {
    const findings: Finding[] = [];
    const headers = new Set<string>(['x-id-token']);
    let developers = 0;
    for (const [provider, login] of Object.entries(pool?.logins ?? {})) {
      const path = ['identityPools', name, 'logins', provider];
      if ('claim' in login) {
        developers += 1;
        if (developers > 1)
          findings.push({ path, message: 'an identity pool has one developer provider only' });
        continue;
      }
      if (RESERVED.has(login.header)) {
        findings.push({
          path: [...path, 'header'],
          message: `${login.header} cannot carry a token of another provider: it means something else`,
        });
      }
      if (headers.has(login.header)) {
        findings.push({
          path: [...path, 'header'],
          message: `${login.header} carries another token already`,
        });
      }
      headers.add(login.header);
    }
    return findings;
  });
