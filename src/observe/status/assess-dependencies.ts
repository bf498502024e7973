import {
  type Finding,
  largest,
  numberOfTimes,
  percent,
  remedyOf,
  statusOf,
  sumOf,
  TROUBLED_SHARE,
} from './finding.ts';
import { IN_IMAGE } from './image-command.ts';
import { ageInWords } from './in-words.ts';
import { gaugeOf, textOf, total, totalsBy } from './reading.ts';
import type { View } from './view.ts';

/** What upstreams answer, or do not. */
export function assessUpstreams(view: View): Finding[] {
  const faults = faultsByUpstream(view);
  return Object.entries(view.config.upstreams).flatMap(([name, { url, urls }]): Finding[] => {
    const answers = totalsBy(
      view.recent.reading,
      'cognito_auth_proxy_upstream_duration_seconds_count',
      'status',
      { upstream: name },
    );
    const bad = new Map([...answers].filter(([status]) => status.startsWith('5')));
    for (const [code, count] of faults.get(name) ?? []) bad.set(code, count);
    const all = sumOf(answers.values()) + sumOf((faults.get(name) ?? new Map<string, number>()).values());
    const failed = sumOf(bad.values());
    const [worst = '', count = 0] = largest(bad) ?? [];
    const key = `upstream ${name}`;
    if (failed >= 2 && failed / all >= TROUBLED_SHARE) {
      const share = percent(count / all);
      const status = statusOf(worst);
      return [
        status === undefined
          ? {
              key,
              level: 'fault',
              what: `Upstream ${name}: ${share} of its answers are ${worst}`,
              look: 'look at its own log and its latest deployment: these answers are its own, the proxy passes them on',
            }
          : {
              key,
              level: 'fault',
              what: `Upstream ${name}: ${share} of requests end in ${status} ${worst}`,
              look: remedyOf(worst),
            },
      ];
    }
    const failing =
      gaugeOf(view.now, 'cognito_auth_proxy_upstream_failing_addresses', { upstream: name }) ?? 0;
    if (failing === 0) return [];
    const addresses = (urls ?? [url]).length;
    const which = addresses === 1 ? 'does not answer' : `${failing} of ${addresses} addresses do not answer`;
    return [
      {
        key: `${key} addresses`,
        level: failing === addresses ? 'fault' : 'warning',
        what: `Upstream ${name}: ${which}`,
        look: '"upstream address set aside" in the log says which; requests go to it again as soon as it answers',
      },
    ];
  });
}

/** Failures to get an answer, by upstream and code: the routes say whose they are. */
function faultsByUpstream(view: View): Map<string, Map<string, number>> {
  const upstreamOf = new Map(view.config.routes.map(({ id, upstream }) => [id, upstream]));
  const found = new Map<string, Map<string, number>>();
  const decisions = view.recent.reading.get('cognito_auth_proxy_decisions_total')?.values() ?? [];
  for (const series of decisions) {
    const code = textOf(series, 'code');
    const upstream = upstreamOf.get(textOf(series, 'route'));
    if (upstream === undefined || !(code.startsWith('UPSTREAM_') || code === 'LIMIT_UPSTREAM')) continue;
    const codes = found.get(upstream) ?? new Map<string, number>();
    found.set(upstream, codes.set(code, (codes.get(code) ?? 0) + series.value));
  }
  return found;
}

/** Cognito's keys, and the way to them. */
export function assessKeys(view: View): Finding[] {
  const look = `"keys could not be fetched" in the log says why, and so does \`check --online\` where the proxy runs; in the image: \`kubectl exec ... -- ${IN_IMAGE} check --online\``;
  // Of which pool is not counted; there is seldom more than one that cannot be reached.
  const unanswered = total(view.recent.reading, 'cognito_auth_proxy_decisions_total', {
    code: 'AUTHN_KEYS_UNAVAILABLE',
  });
  const level = unanswered > 0 ? 'fault' : 'warning';
  const meanwhile =
    unanswered > 0
      ? `, and ${numberOfTimes(unanswered, 'request')} signed with others got 503 AUTHN_KEYS_UNAVAILABLE`
      : '';
  return Object.entries(view.config.userPools).flatMap(([pool, { keys }]): Finding[] => {
    const { refresh, maxStale } =
      'refresh' in keys ? keys : { refresh: 60_000, maxStale: Number.POSITIVE_INFINITY };
    const age = gaugeOf(view.now, 'cognito_auth_proxy_jwks_age_seconds', { pool });
    const of = { key: `keys ${pool}`, look } as const;
    const failures = total(view.now, 'cognito_auth_proxy_jwks_fetch_total', { pool, result: 'failure' });
    if (age === undefined) {
      const waiting = view.phase === 'starting' && failures === 0;
      const what = waiting
        ? `Cognito: waiting for the keys of user pool ${pool}`
        : `Cognito: no keys of user pool ${pool}, so that protected routes answer 503 AUTHN_KEYS_UNAVAILABLE`;
      return [{ ...of, level: waiting ? 'warning' : 'fault', what }];
    }
    const until = Number.isFinite(maxStale)
      ? `, and they work until they are ${ageInWords(maxStale / 1000)} old`
      : '';
    if (age * 1000 > 2 * refresh) {
      return [
        {
          ...of,
          level,
          what: `Cognito: the keys of user pool ${pool} are ${ageInWords(age)} old${meanwhile || until}`,
        },
      ];
    }
    const where = { pool, result: 'failure' };
    if (total(view.recent.reading, 'cognito_auth_proxy_jwks_fetch_total', where) === 0) return [];
    const what = `Cognito: the keys of user pool ${pool} cannot be fetched, those in use are ${ageInWords(age)} old${meanwhile || until}`;
    return [{ ...of, level, what }];
  });
}

/** Credentials to sign with. */
export function assessCredentials(view: View): Finding[] {
  const { reading } = view.recent;
  const pools = totalsBy(reading, 'cognito_auth_proxy_credentials_total', 'pool');
  return [...pools].flatMap(([pool, all]): Finding[] => {
    const results = totalsBy(reading, 'cognito_auth_proxy_credentials_total', 'result', { pool });
    const whose = pool.startsWith('own/') ? `Own credentials for ${pool.slice(4)}` : `Identity pool ${pool}`;
    return (['unavailable', 'throttled', 'denied'] as const).flatMap((result): Finding[] => {
      const count = results.get(result) ?? 0;
      if (count < 2 || count / all < TROUBLED_SHARE) return [];
      const code = `SIGN_CREDENTIALS_${result.toUpperCase()}`;
      return [
        {
          key: `credentials ${pool} ${result}`,
          level: result === 'denied' ? 'warning' : 'fault',
          what: `${whose}: ${percent(count / all)} of the times credentials are ${result}`,
          look: remedyOf(code),
        },
      ];
    });
  });
}
