import { type Finding, largest, percent, remedyOf, sumOf } from './finding.ts';
import { type Reading, textOf, total, totalsBy } from './reading.ts';
import type { View } from './view.ts';

const DECISIONS = 'cognito_auth_proxy_decisions_total';

/** Requests below which a share says nothing. */
const ENOUGH = 10;

/** Minutes that are compared with those before, and requests that those must have had. */
const LATELY = 2;
const ENOUGH_BEFORE = 100;

/** Refusals for which the configuration is as likely at fault as the caller. */
const MISCONFIGURED =
  /^(AUTHZ_|AUTHN_(ISSUER_UNKNOWN|CLIENT_MISMATCH|TOKEN_USE_MISMATCH)$|SIGN_.*(MISMATCH|DENIED)$)/;

/** Routes that refuse most of their callers for what the rule says, and refusals that have jumped. */
export function assessRules(view: View): Finding[] {
  const routes = refusingRoutes(view.recent.reading);
  return routes.length > 0 ? routes : assessJump(view);
}

function refusingRoutes(reading: Reading): Finding[] {
  const all = totalsBy(reading, DECISIONS, 'route');
  const refused = new Map<string, Map<string, number>>();
  for (const series of reading.get(DECISIONS)?.values() ?? []) {
    const [route, code] = [textOf(series, 'route'), textOf(series, 'code')];
    if (route === 'none' || !MISCONFIGURED.test(code)) continue;
    const codes = refused.get(route) ?? new Map<string, number>();
    refused.set(route, codes.set(code, (codes.get(code) ?? 0) + series.value));
  }
  return [...refused].flatMap(([route, codes]): Finding[] => {
    const requests = all.get(route) ?? 0;
    const count = sumOf(codes.values());
    if (requests < ENOUGH || count / requests < 0.5) return [];
    const [code = ''] = largest(codes) ?? [];
    return [
      {
        key: `rule ${route}`,
        level: 'warning',
        what: `Route ${route} refuses ${percent(count / requests)} of its requests: ${code}`,
        look: adviceOn(code),
      },
    ];
  });
}

function adviceOn(code: string): string {
  if (code.startsWith('SIGN_')) return remedyOf(code);
  return code.startsWith('AUTHZ_')
    ? 'was the rule, a group or a scope changed? `condition` in the log says what did not hold; the form on this page explains it for a token of theirs'
    : 'is it another stage, app client or kind of token than `userPoolId`, `clientIds` and `tokenUse` say? The form on this page shows both for a token of theirs';
}

/** As the alert CognitoAuthProxyRefusalsJump does. Requests for no route are left out: that is where scanners knock. */
function assessJump({ recent, minutes }: View): Finding[] {
  const denied = totalsBy(recent.reading, DECISIONS, 'code', { decision: 'deny' });
  const knocks = totalsBy(recent.reading, DECISIONS, 'code', { decision: 'deny', route: 'none' });
  for (const [code, count] of knocks) denied.set(code, (denied.get(code) ?? 0) - count);
  const all = total(recent.reading, DECISIONS) - sumOf(knocks.values());
  const share = sumOf(denied.values()) / all;
  const before = minutes.slice(0, -LATELY);
  const earlier = sumOf(before.map(({ passed, refused, failed }) => passed + refused + failed));
  const usual = sumOf(before.map(({ refused }) => refused)) / earlier;
  if (all < 2 * ENOUGH || earlier < ENOUGH_BEFORE || share < 0.2 || share < 3 * usual) return [];
  const [code = ''] = largest(denied) ?? [];
  return [
    {
      key: 'jump',
      level: 'warning',
      what: `${percent(share)} of requests are refused, ${percent(usual)} in the hour before: ${code}`,
      look: 'the routes below say where; was the configuration reloaded, a client released, or a group renamed?',
    },
  ];
}
