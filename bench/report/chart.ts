import type { ContenderName } from '../cases/case.ts';
import { spreadOf } from '../measure/statistics.ts';
import { type CaseResult, compare, disturbanceOf, figures, QUIET } from './results.ts';

/** The cases that the chart shows, those in which tokens are checked, in words for those who have not read the rest. */
const SHOWN: Readonly<Record<string, readonly [string, string]>> = {
  'known-tokens': ['Known callers', 'GET, 1,000 tokens in turn'],
  'new-tokens': ['New callers', 'GET, every token a new one'],
  post: ['Known callers', 'POST, body of 1 KB'],
};

const BARS: readonly { readonly contender: ContenderName; readonly name: string; readonly style: string }[] =
  [
    { contender: 'proxy', name: 'cognito-auth-proxy', style: 'ours' },
    { contender: 'haproxy', name: 'HAProxy, jwt_verify', style: 'peer' },
    { contender: 'usualStack', name: 'express + http-proxy-middleware + jose', style: 'usual' },
  ];

const WIDTH = 920;
const MARGIN = 40;
const AXIS = 256;
/** Leaves room for the figures behind the longest bar. */
const LONGEST = 425;
const FIRST_GROUP = 122;
const BAR = 17;
const BAR_GAP = 4;
const GROUP = BARS.length * (BAR + BAR_GAP) + 26;

const STYLE = `svg{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif;--ink:#1c2430;--soft:#5b6675;--edge:#d5dce5;--bg:#ffffff;--ours:#1f7a4d;--peer:#8494a8;--usual:#c9d2dd}
@media (prefers-color-scheme:dark){svg{--ink:#e6ebf2;--soft:#9aa7b6;--edge:#2b333d;--bg:#0d1117;--ours:#5cc593;--peer:#6d7d91;--usual:#414c5a}}
.bg{fill:var(--bg);stroke:var(--edge)}.title{font-size:21px;font-weight:650;fill:var(--ink)}.note{font-size:13px;fill:var(--soft)}.name{font-size:15px;font-weight:600;fill:var(--ink)}
.figure{font-size:13px;fill:var(--soft);font-variant-numeric:tabular-nums}.best{font-weight:650;fill:var(--ink)}.times{font-weight:650;fill:var(--ours)}
.ours{fill:var(--ours)}.peer{fill:var(--peer)}.usual{fill:var(--usual)}.axis{stroke:var(--edge)}.range{stroke:var(--ink);stroke-opacity:.55;stroke-width:1.5;fill:none}`;

/** Draws requests a second by contender; null when no result is there that it shows. */
export function drawChart(results: readonly CaseResult[]): string | null {
  const shown = Object.keys(SHOWN).flatMap((name) => results.filter((result) => result.name === name));
  const [first] = shown;
  if (first === undefined) return null;
  const most = Math.max(
    ...shown.flatMap(({ entrants }) =>
      entrants
        .filter(({ contender }) => BARS.some((bar) => bar.contender === contender))
        .map((entrant) => spreadOf(figures(entrant, 'rate')).most),
    ),
  );
  const height = FIRST_GROUP + shown.length * GROUP + 46;
  const groups = shown.map((result, i) => drawGroup(result, FIRST_GROUP + i * GROUP, LONGEST / most));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">Authorised requests per second on one core</title>
<desc id="d">${escapeText(describe(shown))}</desc>
<style>
${STYLE}
</style>
<rect class="bg" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="${MARGIN}" y="46">Authorised requests per second on one core</text>
<text class="note" x="${MARGIN}" y="68">Token verified (RS256), group and scope checked by 200 routes, request forwarded, access log written.</text>
${drawLegend()}
${groups.join('\n')}
<text class="note" x="${MARGIN}" y="${height - 36}">Medians of ${first.rounds} interleaved rounds; the thin line spans all of them.${escapeText(describeDisturbance(shown))}</text>
<text class="note" x="${MARGIN}" y="${height - 17}">${escapeText(describeGround(first))}</text>
</svg>
`;
}

function drawLegend(): string {
  let x = MARGIN;
  return BARS.map(({ name, style }) => {
    const item = `<rect class="${style}" x="${x}" y="86" width="12" height="12" rx="2"/><text class="note" x="${x + 18}" y="96.5">${escapeText(name)}</text>`;
    x += 18 + name.length * 6.6 + 26;
    return item;
  }).join('\n');
}

function drawGroup(result: CaseResult, top: number, scale: number): string {
  const [name = '', note = ''] = SHOWN[result.name] ?? [];
  const bars = BARS.map((bar, i) => drawBar(result, bar, top + i * (BAR + BAR_GAP), scale));
  const bottom = top + BARS.length * (BAR + BAR_GAP) - BAR_GAP;
  return [
    `<text class="name" x="${MARGIN}" y="${top + 22}">${escapeText(name)}</text>`,
    `<text class="note" x="${MARGIN}" y="${top + 41}">${escapeText(note)}</text>`,
    ...bars,
    `<path class="axis" d="M${AXIS - 0.5} ${top - 5} V${bottom + 5}"/>`,
  ].join('\n');
}

function drawBar(result: CaseResult, bar: (typeof BARS)[number], y: number, scale: number): string {
  const entrant = result.entrants.find(({ contender }) => contender === bar.contender);
  if (entrant === undefined) return '';
  const rate = spreadOf(figures(entrant, 'rate'));
  const width = round(rate.median * scale);
  const [from, to] = [round(AXIS + rate.least * scale), round(AXIS + rate.most * scale)];
  const middle = y + BAR / 2;
  const ratio = compare(result.entrants, entrant.label, result.reference, 'rate')?.median;
  const ours = bar.contender === 'proxy';
  const times =
    ours && ratio !== undefined ? `<tspan class="times" dx="10">${ratio.toFixed(2)} × HAProxy</tspan>` : '';
  return (
    `<path class="${bar.style}" d="M${AXIS} ${y} h${round(Math.max(width - 3, 0))} q3 0 3 3 v${BAR - 6} q0 3 -3 3 H${AXIS} z"/>` +
    `<path class="range" d="M${from} ${middle} H${to}"/>` +
    `<text class="figure" x="${round(Math.max(AXIS + width, to) + 9)}" y="${middle + 4.5}"><tspan class="${ours ? 'best' : ''}">${Math.round(rate.median).toLocaleString('en')}</tspan>${times}</text>`
  );
}

function describeGround({ machine }: CaseResult): string {
  const { HAProxy = '', Node = '' } = machine.versions;
  return `${machine.cpu}, ${machine.cores} cores, one of them for load and upstream. HAProxy ${HAProxy}, Node ${Node}.`;
}

/** A chart travels without the page around it, so it says by itself when its figures are rough. */
function describeDisturbance(shown: readonly CaseResult[]): string {
  const most = Math.max(...shown.map(disturbanceOf));
  return most > QUIET ? ` Other work took ${Math.round(most * 100)} % of the cores.` : '';
}

/** The chart in words, for those who cannot see it. */
function describe(shown: readonly CaseResult[]): string {
  return shown
    .map((result) => {
      const [name = '', note = ''] = SHOWN[result.name] ?? [];
      const rates = BARS.flatMap((bar) =>
        result.entrants
          .filter(({ contender }) => contender === bar.contender)
          .map((entrant) => `${bar.name} ${Math.round(spreadOf(figures(entrant, 'rate')).median)}`),
      );
      return `${name}, ${note}: ${rates.join(', ')}.`;
    })
    .join(' ');
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
