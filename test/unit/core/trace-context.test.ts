import { describe, expect, it } from 'vitest';
import { parseTraceparent, traceContextOf } from '../../../src/core/trace-context.ts';
import { exchange } from '../../support/exchange.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const GOOD = `00-${TRACE}-${PARENT}-01`;

describe('a traceparent', () => {
  it.each([
    [GOOD, 1],
    [`00-${TRACE}-${PARENT}-00`, 0],
    [`00-${TRACE}-${PARENT}-03`, 3],
    [`00-${TRACE}-${PARENT}-ff`, 255],
    // A later version is read as far as this one goes.
    [`01-${TRACE}-${PARENT}-01`, 1],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, 1],
    [`fe-${TRACE}-${PARENT}-01-`, 1],
  ])('%s says where the request stands', (value, flags) => {
    expect(parseTraceparent(value)).toEqual({ traceId: TRACE, parentId: PARENT, flags });
  });

  it.each([
    '',
    '00',
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-001`,
    `00-${TRACE}-${PARENT}-0g`,
    `00-${TRACE}-${PARENT}-01-`,
    `00-${TRACE}-${PARENT}-01-extra`,
    `01-${TRACE}-${PARENT}-01.extra`,
    `ff-${TRACE}-${PARENT}-01`,
    `0-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE.slice(1)}-${PARENT}-01`,
    `00-${TRACE}0-${PARENT}-01`,
    `00-${TRACE}-${PARENT.slice(1)}-01`,
    `00_${TRACE}_${PARENT}_01`,
    ` ${GOOD}`,
    `${GOOD},${GOOD}`,
    `${GOOD}\n`,
  ])('%j is none', (value) => {
    expect(parseTraceparent(value)).toBeNull();
  });
});

describe('the trace of a request', () => {
  it('is that of its one traceparent', () => {
    const made = exchange({ headers: ['accept', '*/*', 'traceparent', GOOD, 'tracestate', 'a=1'] });
    expect(traceContextOf(made)?.traceId).toBe(TRACE);
  });

  it.each([
    ['without one', ['accept', '*/*', 'traceparen_', GOOD]],
    ['with two', ['traceparent', GOOD, 'traceparent', GOOD]],
    ['with a bad one', ['traceparent', 'x']],
  ])('%s is none', (_, headers) => {
    expect(traceContextOf(exchange({ headers }))).toBeNull();
  });

  it('that was refused before it was canonical is looked up as it came', () => {
    const made = exchange({});
    made.inbound = null;
    made.request.rawHeaders = ['Host', 'a', 'TraceParent', GOOD];
    expect(traceContextOf(made)?.traceId).toBe(TRACE);
  });
});
