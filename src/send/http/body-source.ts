/** A body that comes in pieces, on loan to whoever sends it: it is released as soon as there is no more use for it. */
export interface BodySource {
  /** Begins, once, to hand on what comes, though nothing before this returns. */
  flow(sink: BodySink): void;
  /** Hands on nothing more until it is resumed. */
  pause(): void;
  resume(): void;
  /** Hands on nothing more at all. Of no effect the second time. */
  release(): void;
}

/** What a body is handed on to. After `end` or `fail` nothing more comes. */
export interface BodySink {
  take(piece: Buffer): void;
  /** That was all of it. */
  end(): void;
  /** It broke off. */
  fail(error: Error): void;
}
