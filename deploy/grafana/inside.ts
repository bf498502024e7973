import { CHOSEN, chosen, quantile, type Row, rate, share } from './panel.ts';

export const keysAndTokens: Row = {
  title: 'Keys and tokens',
  panels: [
    {
      title: "Keys' age by pool",
      description:
        'A saw: up for one keys.refresh, down at each fetch. A line that rises beyond twice that is a pool whose keys are not fetched. A line that ends is a pool without keys: its callers get 503.',
      kind: 'lines',
      unit: 's',
      queries: [
        { expr: `max by (pool) (${chosen('jwks_age_seconds')})`, legend: '{{pool}}' },
        {
          expr: `2 * max by (pool) (${chosen('jwks_refresh_seconds')})`,
          legend: '{{pool}}: twice keys.refresh',
        },
      ],
    },
    {
      title: 'Fetches of keys',
      description:
        'failure: see the log for the reason. absent is usual for the form of issuer that a pool does not use. Many successes: tokens with unknown key ids come in, each of which may cause a fetch every 5 s at most.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: `sum by (pool, result) (increase(${chosen('jwks_fetch_total')}[$__rate_interval]))`,
          legend: '{{pool}} {{result}}',
        },
      ],
    },
    {
      title: 'Tokens found verified',
      description:
        'Share of requests whose token had been verified before. Low: each caller comes once, or clients fetch a token per request, which costs them and Cognito more than us. Low with a full cache: raise tokenCache.entries.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: share(chosen('token_cache_total', 'result="hit"'), chosen('token_cache_total')),
          legend: 'hits',
        },
      ],
    },
    {
      title: 'Tokens remembered',
      description:
        'At tokenCache.entries (50,000 per worker) the ones longest unused make room, and are verified again when they come back.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: `sum by (instance) (${chosen('token_cache_entries')})`, legend: '{{instance}}' }],
    },
  ],
};

export const credentials: Row = {
  title: 'Credentials to sign with',
  panels: [
    {
      title: 'Credentials by result',
      description:
        'cached is the rule. fetched: new callers, or an hour gone by. denied: roles and providers of the identity pool, or a token without aud. throttled: callsPerSecond or the quota in AWS is too low for so many new callers. unavailable: the identity pool or STS cannot be reached; the log says which.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        {
          expr: `sum by (pool, result) (${rate(chosen('credentials_total'))})`,
          legend: '{{pool}} {{result}}',
        },
      ],
    },
    {
      title: 'Time to fetch credentials (p95)',
      description:
        'What the first request of a caller waits beyond all others: two calls to the identity pool, or one to STS. High: they are in another region, or throttle. Credentials in use are fetched ahead, and nobody waits for them.',
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: quantile(0.95, chosen('credentials_duration_seconds_bucket'), 'le, pool'),
          legend: '{{pool}}',
        },
      ],
    },
  ],
};

export const saturation: Row = {
  title: 'Saturation',
  panels: [
    {
      title: 'Event loop lag (p99)',
      description:
        'How late the process is to its work. Around 10 ms is idle, as finely as it is measured. Above 100 ms for long: add replicas or workers.',
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${CHOSEN}})`,
          legend: '{{instance}}',
        },
      ],
      limits: { orange: 0.1, red: 0.5 },
    },
    {
      title: 'CPU, in cores',
      description:
        'One worker uses one core at most, and is full at 1. Several workers and their primary add up.',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: `sum by (instance) (rate(process_cpu_seconds_total{${CHOSEN}}[$__rate_interval]))`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Memory',
      description:
        'Resident memory. It grows with the token cache and open connections and then stays. What only ever grows is a leak: keep a heap snapshot and report it.',
      kind: 'lines',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (process_resident_memory_bytes{${CHOSEN}})`, legend: '{{instance}}' },
      ],
    },
    {
      title: 'File descriptors used',
      description:
        'Every client and every upstream connection is one. At the limit nothing can be accepted: raise ulimit -n, or lower server.limits.connections.',
      kind: 'lines',
      unit: 'percentunit',
      queries: [
        {
          expr: `max by (instance) (process_open_fds{${CHOSEN}} / process_max_fds{${CHOSEN}})`,
          legend: '{{instance}}',
        },
      ],
      limits: { orange: 0.8 },
    },
    {
      title: 'Connections turned away',
      description:
        'server.limits.connections is reached. Many clients: add replicas. Few clients with many connections each: shut them out in front of the proxy.',
      kind: 'lines',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (instance) (${rate(chosen('decisions_total', 'code="LIMIT_CONNECTIONS"'))})`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Connections to upstreams',
      description:
        'Open ones. Many more than the upstream has threads: requests queue there, and its latency rises with them.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: `sum by (upstream) (${chosen('upstream_connections')})`, legend: '{{upstream}}' }],
    },
    {
      title: 'Requests at upstreams with a limit',
      description:
        'Of upstreams with limits.requests alone. waiting above nought for long: the upstream is as full as it may be; see its latency above, then raise limits.requests if it can do more. Further proxies make it worse. More than limits.queue of them are refused with LIMIT_UPSTREAM.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: `sum by (upstream) (${chosen('upstream_requests')})`, legend: '{{upstream}} at work' },
        {
          expr: `sum by (upstream) (${chosen('upstream_requests_waiting')})`,
          legend: '{{upstream}} waiting',
        },
      ],
    },
    {
      title: 'Upstream addresses that fail',
      description:
        "Addresses that failed three times in a row and have not answered since, as the worst instance sees it. Some of several: requests go to the others; look at those named as target in the log. All of them: the upstream is down, or a network policy is in the way. One instance alone: its node's network.",
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: `max by (upstream, instance) (${chosen('upstream_failing_addresses')})`,
          legend: '{{upstream}} of {{instance}}',
        },
      ],
    },
    {
      title: 'Connections and WebSockets of clients',
      description:
        'Open ones. Near server.limits.connections or .webSockets: add replicas, or raise the limit if memory allows (12 KB for an idle connection). One instance far above the others: the load balancer keeps its connections; have it close them now and then. WebSockets that only rise: clients connect again without closing; shorten timeouts.webSocketIdle.',
      kind: 'lines',
      unit: 'short',
      queries: [
        { expr: `sum by (instance) (${chosen('client_connections')})`, legend: '{{instance}} connections' },
        { expr: `sum by (instance) (${chosen('websockets')})`, legend: '{{instance}} WebSockets' },
      ],
    },
  ],
};

export const rateLimits: Row = {
  title: 'Rate limits',
  panels: [
    {
      title: 'Answers of the store of rate limits',
      description:
        'Of Redis, or of the primary where there are several workers. failure: it is away, slower than rateLimits.timeout, or refuses to write; limited routes are then open, or answer 503 LIMIT_RATE_UNKNOWN, as rateLimits.onStoreFailure says. Look at the server and the way to it; the log says when it went.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        { expr: `sum by (result) (${rate(chosen('rate_limit_store_total'))})`, legend: '{{result}}' },
      ],
    },
    {
      title: 'Callers counted in memory',
      description:
        'At rateLimits.entries (100,000) those silent for longest are forgotten, and may start anew. There without many callers: somebody uses many addresses; count by caller, or raise rateLimits.entries.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: `sum by (instance) (${chosen('rate_limit_entries')})`, legend: '{{instance}}' }],
    },
  ],
};

export const configuration: Row = {
  title: 'Configuration',
  panels: [
    {
      title: 'Reloads',
      description:
        'success: a change is in force. failure: it was refused, the last good one stays; the log has every mistake under "configuration refused".',
      kind: 'lines',
      unit: 'short',
      queries: [
        {
          expr: `sum by (result) (increase(${chosen('config_reloads_total')}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ],
    },
    {
      title: 'Age of the configuration in force',
      description:
        'Instances that differ run different rules: one of them was not reached by a change, or refused it.',
      kind: 'lines',
      unit: 's',
      queries: [
        {
          expr: `time() - max by (instance) (${chosen('config_last_reload_success_timestamp_seconds')})`,
          legend: '{{instance}}',
        },
      ],
    },
  ],
};
