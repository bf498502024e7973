/**
 * Draws docs/images/trace.svg from the spans of a real request: a caller's first one to a signed upstream, whose credentials
 * are still to be had.
 *
 *   node bench/draw-trace.ts
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { bearer } from '../test/support/proxy.ts';
import { startSigningStack } from '../test/support/signing-stack.ts';
import { startTraceCollector } from '../test/support/trace-collector.ts';
import { traceparent, tracingTo } from '../test/support/traced-proxy.ts';
import { drawTrace } from './report/trace-picture.ts';

const TARGET = new URL('../docs/images/trace.svg', import.meta.url);
/** Requests before the one that is drawn, so that the code is warm. */
const WARM_UP = 200;

const collector = await startTraceCollector();
const stack = await startSigningStack({ environment: tracingTo(collector) });
const ask = async (user: string, lines: readonly string[] = []): Promise<void> => {
  const { status, text } = await stack.proxy.request('GET /items HTTP/1.1', [
    bearer(stack.idToken(user)),
    ...lines,
  ]);
  if (status !== 200) throw new Error(`${status}: ${text}`);
};
try {
  for (let i = 0; i < WARM_UP; i += 1) await ask('bob', [traceparent('01', randomBytes(16).toString('hex'))]);
  const traceId = randomBytes(16).toString('hex');
  await ask('alice', [traceparent('01', traceId)]);
  const spans = await collector.trace(traceId);
  writeFileSync(TARGET, drawTrace("A caller's first request to a signed upstream", spans));
  process.stdout.write(`${TARGET.pathname}: ${spans.length} spans\n`);
} finally {
  await stack.stop();
  await collector.stop();
}
