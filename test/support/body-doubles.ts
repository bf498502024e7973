import type { BodySink, BodySource } from '../../src/send/http/body-source.ts';

/** Writes down what it is told. */
export class BodyWitness implements BodySink {
  readonly told: (string | Error)[] = [];

  take(piece: Buffer): void {
    this.told.push(piece.toString('latin1'));
  }

  end(): void {
    this.told.push('(end)');
  }

  fail(error: Error): void {
    this.told.push(error);
  }
}

/** A body that hands on what a test says, whether it is paused or not, and writes down what it is asked. */
export class ScriptedBody implements BodySource {
  readonly asked: string[] = [];
  readonly #begin: (sink: BodySink) => void;
  #sink: BodySink | null = null;

  /** @param begin what is at hand when it is asked for */
  constructor(begin: (sink: BodySink) => void = () => undefined) {
    this.#begin = begin;
  }

  /** What it hands on to; nothing before it flows. */
  get sink(): BodySink {
    if (this.#sink === null) throw new Error('nobody has asked for this body');
    return this.#sink;
  }

  flow(sink: BodySink): void {
    this.#sink = sink;
    process.nextTick(() => this.#begin(sink));
  }

  pause(): void {
    this.asked.push('pause');
  }

  resume(): void {
    this.asked.push('resume');
  }

  release(): void {
    this.asked.push('release');
  }
}
