import { type Html, html } from './html.ts';
import { durationInWords } from './in-words.ts';
import type { Latency } from './quantile.ts';

/** The heads of two columns of a table, and their cells. */
export const latencyHeads = html`<th scope="col" class="num">p50</th><th scope="col" class="num">p99</th>`;

export function latencyCells(latency: Latency | null): Html {
  return html`<td class="num" data-label="p50">${latency === null ? '–' : durationInWords(latency.p50)}</td><td class="num" data-label="p99">${latency === null ? '–' : durationInWords(latency.p99)}</td>`;
}
