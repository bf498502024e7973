import { chosen, mean, ours, quantile, type Row, rate, upstreams } from './panel.ts';

export const traffic: Row = {
  title: 'Traffic',
  panels: [
    {
      title: 'Requests by status',
      description:
        '4xx: see the refusals below. 5xx: see the failures below, and the upstream errors. A client that left first is 499, counted as 4xx.',
      kind: 'areas',
      unit: 'reqps',
      queries: [{ expr: `sum by (status) (${rate(chosen('requests_total'))})`, legend: '{{status}}' }],
    },
    {
      title: 'Requests by route (ten busiest)',
      description:
        'By the route id of the configuration; none: no route matched. Much of none: a client with a wrong base path, or a scanner.',
      kind: 'lines',
      unit: 'reqps',
      queries: [
        { expr: `topk(10, sum by (route) (${rate(chosen('requests_total'))}))`, legend: '{{route}}' },
      ],
    },
    {
      title: 'Requests in flight',
      description:
        'Accepted and not yet answered. Rising while requests per second do not: somebody is slow, mostly the upstream; compare the latencies below. WebSockets count for as long as they are open.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: `sum by (instance) (${chosen('requests_in_flight')})`, legend: '{{instance}}' }],
    },
  ],
};

export const decisions: Row = {
  title: 'Decisions',
  panels: [
    {
      title: 'Refusals by code',
      description:
        'AUTHN_TOKEN_EXPIRED: a client does not refresh. AUTHN_CLIENT_MISMATCH: an app client that is not in clientIds. AUTHN_SIGNATURE_INVALID: somebody is trying. AUTHZ_*: a rule; the status page, or `explain` (docs/troubleshooting.md), says which condition fails. docs/errors.md has every code.',
      kind: 'areas',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (code) (${rate(chosen('decisions_total', 'decision="deny"'))})`,
          legend: '{{code}}',
        },
      ],
    },
    {
      title: 'Refusals by route (ten most)',
      description:
        'One route alone: its rule, or the client that uses it. All routes at once: tokens, so a user pool, an app client or a sign-in page.',
      kind: 'lines',
      unit: 'reqps',
      queries: [
        {
          expr: `topk(10, sum by (route) (${rate(chosen('decisions_total', 'decision="deny"'))}))`,
          legend: '{{route}}',
        },
      ],
    },
    {
      title: 'Failures by code',
      description:
        'UPSTREAM_*: the upstream is down, resets connections or is too slow. LIMIT_UPSTREAM: it is slower than its requests come. AUTHN_KEYS_UNAVAILABLE: the keys of a pool cannot be had. SIGN_CREDENTIALS_*: the identity pool or STS. LIMIT_RATE_UNKNOWN: the store of rate limits, mostly Redis. LIMIT_BUFFER, LIMIT_WEBSOCKETS: a limit of ours is reached. LIMIT_CONNECTIONS is a refusal, see saturation. INTERNAL_ERROR: ours; the log has the cause under the request id.',
      kind: 'areas',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (code) (${rate(chosen('decisions_total', 'decision="fault"'))})`,
          legend: '{{code}}',
        },
      ],
    },
  ],
};

export const shadow: Row = {
  title: 'Shadow mode',
  panels: [
    {
      title: 'Would be refused, by code',
      description:
        'Requests let through on routes with enforce: false that their rule refuses. At nought for as long as your clients take to come round: the route is ready for enforce: true. docs/shadow-mode.md says how to go about it.',
      kind: 'areas',
      unit: 'reqps',
      queries: [{ expr: `sum by (code) (${rate(chosen('shadow_refusals_total'))})`, legend: '{{code}}' }],
    },
    {
      title: 'Would be refused, by route (ten most)',
      description:
        'Whose clients would be turned away. Their lines of log have the code under shadow, with client id and condition.',
      kind: 'lines',
      unit: 'reqps',
      queries: [
        { expr: `topk(10, sum by (route) (${rate(chosen('shadow_refusals_total'))}))`, legend: '{{route}}' },
      ],
    },
  ],
};

export const latency: Row = {
  title: 'Latency',
  panels: [
    {
      title: 'Ours: from request to answer sent',
      description:
        'What clients wait, the upstream and the transfer of bodies included. High here and low at the upstream: slow clients, large bodies, or an event loop that lags.',
      kind: 'lines',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((q) => ({
        expr: quantile(q, ours('bucket'), 'le'),
        legend: `p${q * 100}`,
      })),
    },
    {
      title: "Upstream's: from request sent to its header section (p95)",
      description:
        'What the upstream takes to begin its answer. High: look there. timeouts.response cuts it off with 504 UPSTREAM_TIMEOUT.',
      kind: 'lines',
      unit: 's',
      queries: [{ expr: quantile(0.95, upstreams('bucket'), 'le, upstream'), legend: '{{upstream}}' }],
    },
    {
      title: 'The difference (mean)',
      description:
        'Mean of ours less mean of the upstream: the proxy itself and the transfer of bodies. Milliseconds are normal for small answers. Long downloads and WebSockets make it large without harm.',
      kind: 'lines',
      unit: 's',
      queries: [{ expr: `${mean(ours)} - ${mean(upstreams)}`, legend: 'difference' }],
    },
  ],
};
