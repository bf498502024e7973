/** As much of a span as is drawn. */
export interface DrawnSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

const WIDTH = 920;
const MARGIN = 32;
const TIME_AXIS = 306;
const LONGEST = WIDTH - MARGIN - 84 - TIME_AXIS;
const FIRST_ROW = 128;
const ROW = 50;

/** Attributes that tell something in a picture, and how they are introduced. */
const NOTES: readonly (readonly [attribute: string, words: string])[] = [
  ['cognito_auth_proxy.user_pool', 'user_pool'],
  ['cognito_auth_proxy.credentials', 'credentials'],
  ['cognito_auth_proxy.upstream', 'upstream'],
  ['http.response.status_code', 'status_code'],
  ['error.type', 'error.type'],
];

const STYLE = `svg{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif;--ink:#1c2430;--soft:#5b6675;--edge:#d5dce5;--bg:#ffffff;--server:#1f7a4d;--internal:#8494a8;--client:#2f6fb3;--failed:#b3402f}
@media (prefers-color-scheme:dark){svg{--ink:#e6ebf2;--soft:#9aa7b6;--edge:#2b333d;--bg:#0d1117;--server:#5cc593;--internal:#6d7d91;--client:#6cabea;--failed:#f08a78}}
.bg{fill:var(--bg);stroke:var(--edge)}.title{font-size:19px;font-weight:650;fill:var(--ink)}.note{font-size:13px;fill:var(--soft)}.name{font-size:15px;font-weight:600;fill:var(--ink)}
.small{font-size:12px;fill:var(--soft);font-family:ui-monospace,SFMono-Regular,Menlo,monospace}.took{font-size:13px;fill:var(--soft);font-variant-numeric:tabular-nums}
.server{fill:var(--server)}.internal{fill:var(--internal)}.client{fill:var(--client)}.failed{fill:var(--failed)}.line{stroke:var(--edge);fill:none}.branch{stroke:var(--internal);stroke-opacity:.7;fill:none}`;

/**
 * Draws a trace as a tree, each span below its parent and beside it the time it took.
 * @param spans of one trace, its root first, the others by their start
 */
export function drawTrace(title: string, spans: readonly DrawnSpan[]): string {
  const [root] = spans;
  if (root === undefined) throw new Error('a trace without spans');
  const height = FIRST_ROW + spans.length * ROW + 20;
  const whole = Number(root.end - root.start);
  const rows = spans.map((span, i) => drawSpan(span, root, whole, FIRST_ROW + i * ROW));
  const trunk = `<path class="branch" d="M${MARGIN + 8} ${FIRST_ROW + 32} V${FIRST_ROW + (spans.length - 1) * ROW + 4}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">${escapeText(title)}</title>
<desc id="d">${escapeText(spans.map((span) => `${span.name}: ${took(span)}`).join('; '))}.</desc>
<style>
${STYLE}
</style>
<rect class="bg" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="${MARGIN}" y="42">${escapeText(title)}</text>
<text class="note" x="${MARGIN}" y="64">Spans as a collector received them. Green: the request; grey: inside the proxy; blue: sent to the upstream.</text>
${drawAxis(whole, height)}
${trunk}
${rows.join('\n')}
</svg>
`;
}

function drawSpan(span: DrawnSpan, root: DrawnSpan, whole: number, y: number): string {
  const isRoot = span === root;
  const left = TIME_AXIS + (LONGEST * Number(span.start - root.start)) / whole;
  const width = Math.max(2, (LONGEST * Number(span.end - span.start)) / whole);
  const style = span.failed ? 'failed' : span.kind;
  const indent = MARGIN + (isRoot ? 0 : 26);
  const branch = isRoot ? '' : `<path class="branch" d="M${MARGIN + 8} ${y + 4} h12"/>`;
  return `${branch}<text class="name" x="${indent}" y="${y + 9}">${escapeText(span.name)}</text><text class="small" x="${indent}" y="${y + 26}">${escapeText(notesOf(span))}</text><rect class="${style}" x="${left.toFixed(1)}" y="${y - 3}" width="${width.toFixed(1)}" height="15" rx="3"/><text class="took" x="${(left + width + 7).toFixed(1)}" y="${y + 9}">${took(span)}</text>`;
}

/** Four divisions, of whole milliseconds where there are that many. */
function drawAxis(whole: number, height: number): string {
  const milliseconds = whole / 1e6;
  const step = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((one) => milliseconds / one <= 6) ?? 1_000;
  const marks: string[] = [];
  for (let at = 0; at <= milliseconds; at += step) {
    const x = (TIME_AXIS + (LONGEST * at) / milliseconds).toFixed(1);
    marks.push(
      `<path class="line" d="M${x} 100 V${height - 18}"/><text class="took" x="${x}" y="94" text-anchor="middle">${at} ms</text>`,
    );
  }
  return marks.join('\n');
}

function notesOf({ attributes }: DrawnSpan): string {
  const notes = NOTES.flatMap(([name, words]) => {
    const value = attributes[name];
    return value === undefined ? [] : [`${words}=${String(value)}`];
  });
  return notes.join(' ');
}

function took({ start, end }: DrawnSpan): string {
  const milliseconds = Number(end - start) / 1e6;
  return `${milliseconds.toFixed(milliseconds < 1 ? 2 : 1)} ms`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
