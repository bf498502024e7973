import { percent } from './finding.ts';
import { type Html, html } from './html.ts';
import { ageInWords, clockTime, durationInWords, numberInWords } from './in-words.ts';
import { renderChart } from './render-chart.ts';
import { latencyCells, latencyHeads } from './render-latency.ts';
import { renderRoutes, selectRoutes } from './render-routes.ts';
import type { DatedFinding, Status, Traffic } from './status.ts';

/** Pieces of the page that change, by the element they stand in. */
export type Parts = Readonly<Record<PartName, Html>>;

const PART_NAMES = [
  'headline',
  'traffic',
  'routes',
  'upstreams',
  'pools',
  'credentials',
  'limits',
  'reloads',
] as const;
export type PartName = (typeof PART_NAMES)[number];

export function renderParts(status: Status): Parts {
  return {
    headline: renderHeadline(status),
    traffic: renderTraffic(status),
    routes: renderRoutes(
      selectRoutes(status.routes, { search: '', order: 'requests' }),
      status.routes.length,
    ),
    upstreams: renderUpstreams(status),
    pools: renderPools(status),
    credentials: renderCredentials(status),
    limits: renderLimits(status),
    reloads: renderReloads(status),
  };
}

/** One line that says whether all is well, or who is at fault since when, and where to look. */
export function headlineOf({ findings, traffic, phase }: Status): string {
  const [worst, ...others] = findings;
  if (worst === undefined) {
    if (phase === 'starting') return 'Starting';
    return traffic.perSecond === 0
      ? 'All well, and no requests in the last minute'
      : `All well${mentionRefusals(traffic.onRoutes)}`;
  }
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${sentence(worst)}${more}`;
}

/**
 * Strangers may knock as they like, where there is no route above all; but whoever looks because everybody is refused
 * should not read that all is well alone.
 */
function mentionRefusals({ requests, refused, code }: Traffic['onRoutes']): string {
  if (requests < 10 || refused / requests < 0.5 || code === null) return '';
  return `, though ${percent(refused / requests)} of requests are refused: ${code}`;
}

/** The headline, then every lesser trouble on a line of its own: what the page says to who reads no HTML. */
export function troublesInText(status: Status): string {
  return [headlineOf(status), ...status.findings.slice(1).map(sentence)].join('\n');
}

function sentence({ what, since, look }: DatedFinding): string {
  return `${what}, since ${clockTime(since)} UTC: ${look}`;
}

/** `ok`, `warning` or `fault`: the colour of all. */
export function levelOf({ findings, phase }: Status): 'ok' | 'warning' | 'fault' {
  return findings[0]?.level ?? (phase === 'starting' ? 'warning' : 'ok');
}

function renderHeadline(status: Status): Html {
  const [worst, ...others] = status.findings;
  const level = levelOf(status);
  if (worst === undefined) {
    return html`<p class="verdict" data-level="${level}" role="status"><span class="dot"></span><strong>${headlineOf(status)}</strong></p>`;
  }
  return html`<p class="verdict" data-level="${level}" role="status"><span class="dot"></span><strong>${breakable(worst.what)}</strong> <span class="since">since ${clockTime(worst.since)} UTC</span></p>
<p class="look">${advice(worst.look)}</p>
${
  others.length === 0
    ? null
    : html`<ul class="others">${others
        .slice(0, 6)
        .map(
          (one) =>
            html`<li data-level="${one.level}"><strong>${breakable(one.what)}</strong> <span class="since">since ${clockTime(one.since)} UTC</span><br>${advice(one.look)}</li>`,
        )}${others.length > 6 ? html`<li>And ${others.length - 6} more.</li>` : null}</ul>`
}`;
}

/** A code breaks behind its underscores, where it must. */
function breakable(text: string): Html {
  return html`${text.split('_').map((piece, index) => (index === 0 ? piece : html`_<wbr>${piece}`))}`;
}

/** A sentence of its own, with what stands between backquotes as code. */
function advice(look: string): Html {
  const text = `${look.replace(/^\w/, (letter) => letter.toUpperCase())}.`;
  return html`${text.split('`').map((piece, index) => (index % 2 === 0 ? piece : html`<code>${piece}</code>`))}`;
}

function renderTraffic({ traffic }: Status): Html {
  const { lately, latency, perSecond, inFlight, minutes } = traffic;
  const all = lately.passed + lately.refused + lately.failed;
  const share = (count: number): string => (all === 0 ? '–' : percent(count / all));
  return html`<dl class="figures">
<div><dt>Requests/s</dt><dd>${numberInWords(perSecond)}</dd></div>
<div><dt>In flight</dt><dd>${numberInWords(inFlight)}</dd></div>
<div><dt>Refused</dt><dd>${share(lately.refused)}</dd></div>
<div data-level="${all > 0 && lately.failed / all >= 0.05 ? 'fault' : 'ok'}"><dt>Failed</dt><dd>${share(lately.failed)}</dd></div>
<div><dt>p50</dt><dd>${latency === null ? '–' : durationInWords(latency.p50)}</dd></div>
<div><dt>p99</dt><dd>${latency === null ? '–' : durationInWords(latency.p99)}</dd></div>
</dl>
${renderChart(minutes)}`;
}

function state(level: 'ok' | 'warning' | 'fault', text: string): Html {
  return html`<span class="state" data-level="${level}"><span class="dot"></span>${text}</span>`;
}

function renderUpstreams({ upstreams }: Status): Html {
  return html`<table class="upstreams"><thead><tr><th scope="col">Upstream</th><th scope="col">Health</th><th scope="col" class="num">Connections</th><th scope="col" class="num">Answers, last minute</th><th scope="col" class="num">5xx</th>${latencyHeads}</tr></thead><tbody>${upstreams.map(
    ({ name, addresses, failing, connections, lately, errors, latency, signed }) =>
      html`<tr><th scope="row">${name}${signed ? html` <span class="tag">signed</span>` : null}<span class="sub">${addresses.join(', ')}</span></th><td data-label="health">${
        failing > 0
          ? state(
              failing === addresses.length ? 'fault' : 'warning',
              addresses.length === 1 ? 'does not answer' : `${failing} of ${addresses.length} do not answer`,
            )
          : errors > 1 && errors / lately >= 0.05
            ? state('fault', `${percent(errors / lately)} are 5xx`)
            : lately > 0
              ? state('ok', 'answers')
              : html`<span class="quiet">not asked lately</span>`
      }</td><td class="num" data-label="conn.">${numberInWords(connections)}</td><td class="num" data-label="answers">${numberInWords(lately)}</td><td class="num" data-label="5xx">${numberInWords(errors)}</td>${latencyCells(latency)}</tr>`,
  )}</tbody></table>`;
}

function renderPools({ userPools }: Status): Html {
  if (userPools.length === 0)
    return html`<p class="quiet">No user pool is configured: all routes are public.</p>`;
  return html`<table class="pools"><thead><tr><th scope="col">User pool</th><th scope="col">Keys</th><th scope="col" class="num">Fetched</th><th scope="col" class="num">Failed fetches</th></tr></thead><tbody>${userPools.map(
    ({ name, userPoolId, age, fetched, failed, maxStale }) =>
      html`<tr><th scope="row">${name}<span class="sub">${userPoolId}</span></th><td data-label="keys">${
        age === undefined
          ? state('fault', 'none')
          : html`${state('ok', `fetched ${ageInWords(age)} ago`)}${maxStale === null ? html` <span class="quiet">from a file</span>` : html` <span class="quiet">good for ${ageInWords(maxStale)}</span>`}`
      }</td><td class="num" data-label="fetched">${numberInWords(fetched)}</td><td class="num" data-label="failed fetches">${numberInWords(failed)}</td></tr>`,
  )}</tbody></table>`;
}

function renderCredentials({ credentials }: Status): Html {
  if (credentials.length === 0) return html`<p class="quiet">Nothing has been signed.</p>`;
  const of = (results: ReadonlyMap<string, number>, name: string): string =>
    numberInWords(results.get(name) ?? 0);
  return html`<table class="credentials"><thead><tr><th scope="col">Credentials</th><th scope="col" class="num">Remembered</th><th scope="col" class="num">Fetched</th><th scope="col" class="num">Denied</th><th scope="col" class="num">Throttled</th><th scope="col" class="num">Unavailable</th>${latencyHeads}</tr></thead><tbody>${credentials.map(
    ({ pool, results, latency }) =>
      html`<tr><th scope="row">${pool}</th>${['cached', 'fetched', 'denied', 'throttled', 'unavailable'].map(
        (name) =>
          html`<td class="num" data-label="${name === 'cached' ? 'remembered' : name}">${of(results, name)}</td>`,
      )}${latencyCells(latency)}</tr>`,
  )}</tbody></table>`;
}

function renderLimits({ limits }: Status): Html {
  return html`<ul class="limits">${limits.map(({ name, used, limit }) => {
    const share = limit === null ? 0 : used / limit;
    const level = share >= 1 ? 'fault' : share >= 0.8 ? 'warning' : 'ok';
    return html`<li data-level="${level}"><span>${name}</span><meter min="0" max="${limit ?? 1}" value="${limit === null ? 0 : used}"></meter><span class="num">${numberInWords(used)}${limit === null ? null : html` <span class="quiet">of ${numberInWords(limit)}</span>`}</span></li>`;
  })}</ul>`;
}

function renderReloads({ reloads }: Status): Html {
  const read = `read ${new Date(reloads.at).toISOString().slice(0, 16).replace('T', ' at ')} UTC`;
  const failures =
    reloads.failures === 0
      ? null
      : html` <span class="quiet">${numberInWords(reloads.failures)} refused since the start</span>`;
  return html`<p>${
    reloads.successful
      ? state('ok', `in force, ${read}`)
      : state('warning', `the last one was refused; in force is the one ${read}`)
  }${failures}</p>`;
}
