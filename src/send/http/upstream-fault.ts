import type { ErrorCode } from '../../core/errors.ts';

/** A failure whose meaning is known where it is seen. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';
  readonly code: ErrorCode;
  /** Whether another address may do what this one did not. */
  readonly askAnother: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    { cause, askAnother = true }: { readonly cause?: Error | undefined; readonly askAnother?: boolean } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.askAnother = askAnother;
  }
}
