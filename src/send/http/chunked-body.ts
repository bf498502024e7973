import type { HeaderList } from '../../core/headers.ts';
import { invalid, readFields } from './answer-head.ts';

/** Characters of a chunk's size with its extensions, which end here (RFC 9112 section 7.1.1). */
const LONGEST_SIZE_LINE = 4_096;

/** Bytes of a trailer section. */
const TRAILER_BYTES = 65_536;

/** A size of at most 52 bits, so that it is exact as a number. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

const CR = 0x0d;
const LF = 0x0a;

const Part = { size: 0, data: 1, dataEnd: 2, trailers: 3, over: 4 } as const;

/** Reads a chunked body (RFC 9112 section 7.1) as its bytes arrive, wherever they are cut. */
export class ChunkedBody {
  #part: (typeof Part)[keyof typeof Part] = Part.size;
  /** Bytes of the chunk still to come. */
  #left = 0;
  /** What has come of a line that is not complete. */
  #line = '';
  /** The lines of the trailer section so far. */
  #trailers = '';

  /** Whether the last byte of it has been read. */
  get over(): boolean {
    return this.#part === Part.over;
  }

  /** Of the trailer section; empty until the body is over. */
  get trailers(): HeaderList {
    return this.over && this.#trailers !== '' ? readFields(this.#trailers, 0) : [];
  }

  /**
   * @param onData given each piece of the content, which is valid during the call only
   * @returns how many of the bytes belong to this body
   * @throws UpstreamFault UPSTREAM_RESPONSE_INVALID
   */
  read(bytes: Buffer, from: number, onData: (piece: Buffer) => void): number {
    let at = from;
    while (at < bytes.length && this.#part !== Part.over) {
      if (this.#part === Part.data) {
        const end = Math.min(at + this.#left, bytes.length);
        this.#left -= end - at;
        if (this.#left === 0) this.#part = Part.dataEnd;
        onData(bytes.subarray(at, end));
        at = end;
        continue;
      }
      const end = bytes.indexOf(LF, at);
      const limit = this.#part === Part.trailers ? TRAILER_BYTES : LONGEST_SIZE_LINE;
      const next = end < 0 ? bytes.length : end + 1;
      if (this.#line.length + this.#trailers.length + next - at > limit) {
        const what = this.#part === Part.trailers ? 'its trailer section' : 'a line between chunks';
        throw invalid(`${what} is too large`);
      }
      this.#line += bytes.toString('latin1', at, next);
      at = next;
      if (end >= 0) this.#takeLine();
    }
    return at - from;
  }

  #takeLine(): void {
    const line = this.#line;
    this.#line = '';
    if (line.charCodeAt(line.length - 2) !== CR) throw invalid('a line between chunks ends without CR');
    const text = line.slice(0, -2);
    if (this.#part === Part.size) {
      const size = SIZE_LINE.exec(text)?.[1];
      if (size === undefined) throw invalid('the size of a chunk is no number');
      this.#left = Number.parseInt(size, 16);
      this.#part = this.#left === 0 ? Part.trailers : Part.data;
    } else if (this.#part === Part.dataEnd) {
      if (text !== '') throw invalid('a chunk is longer than it says');
      this.#part = Part.size;
    } else if (text === '') {
      this.#part = Part.over;
    } else {
      this.#trailers += line;
    }
  }
}
