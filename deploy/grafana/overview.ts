import { chosen, type Row, rate, share, upstreams } from './panel.ts';

/** One look, for whoever is woken at night. */
export const whoIsAtFault: Row = {
  title: 'Who is at fault?',
  panels: [
    {
      title: 'Requests',
      description:
        'All requests. None at all: clients do not get here. Look at DNS, the load balancer, the Service and whether pods are ready.',
      kind: 'stat',
      unit: 'reqps',
      queries: [{ expr: `sum(${rate(chosen('requests_total'))})`, legend: 'requests' }],
    },
    {
      title: 'Refused: the callers or a rule',
      description:
        'Share of requests for a route that the rules turned away. A jump: a change of rules, of app clients or of groups. "Refusals by code" says which kind, "Refusals by route" where.',
      kind: 'stat',
      unit: 'percentunit',
      queries: [
        {
          expr: share(
            chosen('decisions_total', 'decision="deny", route!="none"'),
            chosen('decisions_total', 'route!="none"'),
          ),
          legend: 'refused',
        },
      ],
      limits: { orange: 0.2 },
    },
    {
      title: 'Failed: the proxy, Cognito or the way to the upstream',
      description:
        'Share of requests that could not be judged or served. "Failures by code" says whose trouble it is.',
      kind: 'stat',
      unit: 'percentunit',
      queries: [
        {
          expr: share(chosen('decisions_total', 'decision="fault"'), chosen('decisions_total')),
          legend: 'failed',
        },
      ],
      limits: { orange: 0.001, red: 0.01 },
    },
    {
      title: 'Upstream errors: the upstream',
      description:
        "Share of the upstreams' own answers that are 5xx. The proxy only carries them: look at the upstream's log and its latest deployment.",
      kind: 'stat',
      unit: 'percentunit',
      queries: [
        {
          expr: share(chosen('upstream_duration_seconds_count', 'status=~"5.."'), upstreams('count')),
          legend: '5xx',
        },
      ],
      limits: { orange: 0.01, red: 0.05 },
    },
    {
      title: "Oldest keys: Cognito's",
      description:
        'Age of the keys in use by their keys.refresh, of the worst pool and instance. Above 2 fetching fails; at keys.maxStale (by default 24 times keys.refresh) everybody is refused. What is in the way shows `kubectl exec deploy/NAME -c proxy -- /nodejs/bin/node /app/dist/bin.js check --online`; without Kubernetes, see docs/troubleshooting.md.',
      kind: 'stat',
      unit: 'short',
      queries: [
        {
          expr: `max(${chosen('jwks_age_seconds')} / ${chosen('jwks_refresh_seconds')})`,
          legend: 'age',
        },
      ],
      limits: { orange: 2, red: 20 },
    },
    {
      title: 'Configuration: a change',
      description:
        'Whether every instance runs the configuration it read last. Refused: the last good one stays in force, and the next start will fail. The log has every mistake with its line.',
      kind: 'stat',
      unit: 'short',
      queries: [{ expr: `min(${chosen('config_last_reload_successful')})`, legend: 'configuration' }],
      words: { 0: 'refused', 1: 'in force' },
      limits: { green: 0.5 },
    },
  ],
};
