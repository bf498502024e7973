import { type Html, html } from './html.ts';
import { numberInWords } from './in-words.ts';
import { latencyCells, latencyHeads } from './render-latency.ts';
import type { CodeCount, RouteStatus } from './status.ts';

export interface RouteSelection {
  /** A part of the id, path, method, host, upstream or of a code; empty: all. */
  readonly search: string;
  readonly order: 'requests' | 'refusals';
}

/** Rows shown at once, however many routes there are. */
const ROWS = 25;

/** Codes shown of one route. */
const CODES = 4;

/** The routes that are asked for, the busiest first. */
export function selectRoutes(
  routes: readonly RouteStatus[],
  { search, order }: RouteSelection,
): RouteStatus[] {
  const wanted = search.trim().toLowerCase();
  const found = wanted === '' ? [...routes] : routes.filter((route) => textOf(route).includes(wanted));
  const refused = (route: RouteStatus, when: 'lately' | 'total'): number =>
    route.codes.reduce((sum, code) => sum + code[when], 0);
  return found.sort((a, b) =>
    order === 'requests'
      ? b.lately - a.lately || b.total - a.total
      : refused(b, 'lately') - refused(a, 'lately') || refused(b, 'total') - refused(a, 'total'),
  );
}

function textOf({ id, host, methods, path, upstream, codes, shadow }: RouteStatus): string {
  const words = [id, methods, host ?? '', path, upstream, ...[...codes, ...shadow].map(({ code }) => code)];
  return words.join(' ').toLowerCase();
}

/** @param all how many routes there are */
export function renderRoutes(found: readonly RouteStatus[], all: number): Html {
  const shown = found.slice(0, ROWS);
  if (shown.length === 0) return html`<p class="quiet">No route has this in it.</p>`;
  const rest =
    shown.length === all
      ? null
      : html`<p class="quiet">${shown.length} of ${numberInWords(found.length)} routes${found.length === all ? null : html` that were found among ${numberInWords(all)}`}. The search finds the others.</p>`;
  return html`<table class="routes"><thead><tr><th scope="col">Route</th><th scope="col">Allow</th><th scope="col" class="num">Last minute</th><th scope="col" class="num">In all</th><th scope="col">Codes: last minute, in all</th>${latencyHeads}</tr></thead><tbody>${shown.map(renderRoute)}</tbody></table>${rest}`;
}

function renderRoute(route: RouteStatus): Html {
  const { id, host, methods, path, allow, enforce, lately, total, codes, shadow, latency } = route;
  const nowhere = allow === '';
  const rule = ruleInWords(allow);
  const address = nowhere
    ? 'requests that no route matches'
    : `${methods === '*' ? 'any method' : methods.replaceAll(',', ', ')} ${host ?? ''}${path}`;
  return html`<tr><th scope="row">${nowhere ? 'no route' : id}${enforce ? null : html` <span class="tag shadow">shadow</span>`}<span class="sub">${address}</span></th><td class="allow" title="${rule}">${rule}</td><td class="num" data-label="last minute">${numberInWords(lately)}</td><td class="num" data-label="in all">${numberInWords(total)}</td><td class="refusals" data-label="codes: last minute, in all">${renderCodes(codes)}${
    shadow.length === 0 ? null : html`<span class="quiet">would be refused</span>${renderCodes(shadow)}`
  }</td>${latencyCells(latency)}</tr>`;
}

/** `groups: [writers], claims: {sub: {userId}}`: as it is in the file, on one line. */
function ruleInWords(allow: string): string {
  if (!allow.startsWith('{')) return allow;
  return allow
    .slice(1, -1)
    .replace(/":/g, '": ')
    .replace(/,(?=["{[])/g, ', ')
    .replaceAll('"', '');
}

function renderCodes(codes: readonly CodeCount[]): Html | null {
  if (codes.length === 0) return null;
  const shown = [...codes].sort((a, b) => b.lately - a.lately || b.total - a.total).slice(0, CODES);
  const more = codes.length - shown.length;
  return html`<ul class="codes">${shown.map(
    ({ code, lately, total }) =>
      html`<li><code>${code}</code> <span class="count" data-lately="${lately > 0 ? 'yes' : 'no'}">${numberInWords(lately)}<span class="quiet">, ${numberInWords(total)}</span></span></li>`,
  )}${more === 0 ? null : html`<li class="quiet">and ${more} more</li>`}</ul>`;
}
