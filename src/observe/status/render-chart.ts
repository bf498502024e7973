import type { Minute } from './history.ts';
import { type Html, html } from './html.ts';
import { clockTime, numberInWords } from './in-words.ts';

const MINUTES = 60;
const HEIGHT = 100;
const STEP = 10;
const BAR = 8;

/** The last hour, a bar a minute: what passed below, what was refused on it, what failed on top. */
export function renderChart(minutes: readonly Readonly<Minute>[]): Html {
  const end = minutes.at(-1)?.start ?? 0;
  const tallest = Math.max(0, ...minutes.map(({ passed, refused, failed }) => passed + refused + failed));
  const bars = minutes.map((minute) => {
    const x = (MINUTES - 1 - (end - minute.start) / 60_000) * STEP;
    return renderBar(minute, x, HEIGHT / Math.max(1, tallest));
  });
  const sum = (of: 'passed' | 'refused' | 'failed'): string =>
    numberInWords(minutes.reduce((all, minute) => all + minute[of], 0));
  const text = `The last hour: ${sum('passed')} requests passed, ${sum('refused')} were refused, ${sum('failed')} failed`;
  return html`<figure class="chart"><p class="tallest">at most ${numberInWords(tallest)} a minute</p><svg viewBox="0 0 ${MINUTES * STEP} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${text}">${bars}</svg>
<figcaption><span>${clockTime(end - (MINUTES - 1) * 60_000)}</span><span class="legend"><span class="passed">passed</span><span class="refused">refused</span><span class="failed">failed</span></span><span>${clockTime(end)} UTC</span></figcaption></figure>`;
}

function renderBar(minute: Readonly<Minute>, x: number, scale: number): Html {
  let top = HEIGHT;
  const title = `${clockTime(minute.start)}: ${numberInWords(minute.passed)} passed, ${numberInWords(minute.refused)} refused, ${numberInWords(minute.failed)} failed`;
  const pieces = (['passed', 'refused', 'failed'] as const).map((kind) => {
    const count = minute[kind];
    if (count === 0) return null;
    // Were it drawn to scale, a single failure among thousands would not be seen.
    const height = Math.max(count * scale, 2);
    top -= height;
    return html`<rect class="${kind}" x="${x}" y="${Math.max(0, top).toFixed(1)}" width="${BAR}" height="${height.toFixed(1)}"/>`;
  });
  return html`<g><title>${title}</title>${pieces}</g>`;
}
