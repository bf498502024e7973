import type { Exchange } from './exchange.ts';

/** Where a request stands in a distributed trace, as its sender says: W3C Trace Context, section 3.2. */
export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string;
  /** 16 such digits: the sender's span. */
  readonly parentId: string;
  /** One byte, see {@link TraceFlag}. */
  readonly flags: number;
}

export const TraceFlag = {
  /** The sender may have recorded it. */
  sampled: 0x01,
  /** The trace id was made at random (Trace Context Level 2). */
  random: 0x02,
} as const;

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads a `traceparent`; null for one that is not valid, which counts as none (section 3.2.2). A version after ours may
 * have more fields behind a further dash; 255 is no version.
 */
export function parseTraceparent(value: string): TraceContext | null {
  const [, version, traceId = '', parentId = '', flags = '', more] = FORM.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) };
}

/**
 * The trace that a request belongs to, by what its client sent; null for none, and for several, of which none can be told
 * to be the right one. A request that was refused before there was a canonical form of it is looked up by its raw headers.
 */
export function traceContextOf({ inbound, request }: Exchange): TraceContext | null {
  const headers = inbound?.headers ?? request.rawHeaders;
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 11 || (name !== 'traceparent' && name.toLowerCase() !== 'traceparent')) continue;
    if (found !== null) return null;
    found = headers[i + 1] as string;
  }
  return found === null ? null : parseTraceparent(found);
}
