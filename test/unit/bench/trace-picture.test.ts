import { expect, it } from 'vitest';
import { type DrawnSpan, drawTrace } from '../../../bench/report/trace-picture.ts';

const span = (name: string, start: bigint, end: bigint, changes: Partial<DrawnSpan> = {}): DrawnSpan => ({
  spanId: name,
  parentSpanId: 'root',
  name,
  kind: 'internal',
  start,
  end,
  attributes: {},
  failed: false,
  ...changes,
});

it('draws every span at its time, with what it took', () => {
  const svg = drawTrace('A <trace>', [
    span('root', 0n, 10_000_000n, { kind: 'server', attributes: { 'http.response.status_code': 502 } }),
    span('first', 1_000_000n, 1_500_000n),
    span('second', 5_000_000n, 10_000_000n, { kind: 'client', failed: true }),
  ]);
  expect(svg).toContain('A &lt;trace&gt;');
  const bars = [...svg.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(
    ([, style, x, width]) => [style, Number(x), Number(width)],
  );
  expect(bars).toEqual([
    ['server', 306, 498],
    ['internal', 355.8, 24.9],
    ['failed', 555, 249],
  ]);
  expect([...svg.matchAll(/>([\d.]+ ms)<\/text>$/gm)].map(([, took]) => took).slice(-3)).toEqual([
    '10.0 ms',
    '0.50 ms',
    '5.0 ms',
  ]);
  expect(svg).toContain('status_code=502');
});

it('needs a root', () => {
  expect(() => drawTrace('nothing', [])).toThrow('a trace without spans');
});
