import { assessCredentials, assessKeys, assessUpstreams } from './assess-dependencies.ts';
import { assessRules } from './assess-rules.ts';
import { type Finding, numberOfTimes, remedyOf } from './finding.ts';
import { gaugeOf, total, totalsBy } from './reading.ts';
import type { View } from './view.ts';

/** Milliseconds late at which the process has more to do than it can. */
const LATE = 100;

/** What is not as it should be, the gravest first: requests that are not answered, then what may become of it. */
export function assess(view: View): Finding[] {
  const found = [
    ...assessUpstreams(view),
    ...assessKeys(view),
    ...assessCredentials(view),
    ...assessProxy(view),
    ...assessReload(view),
    ...assessRules(view),
  ];
  return [
    ...found.filter(({ level }) => level === 'fault'),
    ...found.filter(({ level }) => level === 'warning'),
  ];
}

/** The proxy itself: its faults, and its limits. */
function assessProxy({ recent, phase, lateness }: View): Finding[] {
  const found: Finding[] = [];
  const codes = totalsBy(recent.reading, 'cognito_auth_proxy_decisions_total', 'code');
  const ours = codes.get('INTERNAL_ERROR') ?? 0;
  if (ours > 0) {
    found.push({
      key: 'internal',
      level: 'fault',
      what: `The proxy failed at ${numberOfTimes(ours, 'request')}: INTERNAL_ERROR`,
      look: 'the log has the cause as `err`; please report it',
    });
  }
  const unknown = codes.get('LIMIT_RATE_UNKNOWN') ?? 0;
  const unasked = total(recent.reading, 'cognito_auth_proxy_rate_limit_store_total', { result: 'failure' });
  if (unknown > 0 || unasked > 0) {
    found.push({
      key: 'rate store',
      level: unknown > 0 ? 'fault' : 'warning',
      what: `The store of rate limits did not answer ${numberOfTimes(Math.max(unknown, unasked), 'question')}`,
      look: remedyOf('LIMIT_RATE_UNKNOWN'),
    });
  }
  for (const code of ['LIMIT_CONNECTIONS', 'LIMIT_WEBSOCKETS', 'LIMIT_BUFFER']) {
    const count = codes.get(code) ?? 0;
    if (count === 0) continue;
    found.push({
      key: code,
      level: 'fault',
      what: `The proxy turns away what is beyond its limits: ${numberOfTimes(count, 'time')} ${code}`,
      look: 'add replicas, or raise the limit if memory allows; few clients with many connections belong outside',
    });
  }
  if (lateness >= LATE) {
    found.push({
      key: 'late',
      level: 'warning',
      what: `The proxy is ${Math.round(lateness)} ms late to its work`,
      look: 'it has more to do than its share of CPU allows: add replicas or workers, or raise the CPU limit',
    });
  }
  if (phase === 'stopping') {
    found.push({
      key: 'stopping',
      level: 'warning',
      what: 'The proxy is stopping',
      look: 'it was told to; requests under way are being finished',
    });
  }
  return found;
}

function assessReload({ now }: View): Finding[] {
  if (gaugeOf(now, 'cognito_auth_proxy_config_last_reload_successful') !== 0) return [];
  return [
    {
      key: 'reload',
      level: 'warning',
      what: 'The configuration that was read last is refused; the one before it stays in force',
      look: '"configuration refused" in the log has every mistake with its line; the next start would fail',
    },
  ];
}
