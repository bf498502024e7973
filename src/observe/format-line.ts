import type { LogFields } from '../core/log-fields.ts';

/** What a line may hold as it is between quotes: printable ASCII but for the quote and the backslash. */
const NEEDS_ESCAPING = /[^ !#-[\]-~]/;

/**
 * Makes a line of log: one JSON object with `level`, `time`, the fields that are not undefined, and `message`. Numbers, names of
 * our own and most texts need no escaping, so that nothing but the rest is handed to JSON.stringify.
 *
 * @param time milliseconds since the epoch
 * @returns the line with its end, in ASCII
 */
export function formatLine(level: string, time: number, fields: LogFields, message: string): string {
  let line = `{"level":"${level}","time":"${isoTime(time)}"`;
  for (const name in fields) {
    const value = fields[name as keyof LogFields];
    if (value === undefined) continue;
    const text = textOf(name === 'err' ? describeError(value) : value);
    if (text !== undefined) line += `,"${name}":${text}`;
  }
  return `${line},"message":${textOf(message)}}\n`;
}

/** Undefined for what JSON has no word for, such as a function. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return NEEDS_ESCAPING.test(value) ? jsonOf(value) : `"${value}"`;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return jsonOf(value);
}

/** JSON leaves characters as they are which a terminal or a reader of lines may act on. */
function jsonOf(value: unknown): string | undefined {
  const text: string | undefined = JSON.stringify(value);
  return text?.replace(/[\x7f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

let lastTime = Number.NaN;
let lastText = '';

/** Many lines share a millisecond. */
function isoTime(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

const MAX_CAUSES = 5;

/** What is safe to log of an error, and of the errors that caused it: its other properties may hold what was sent. */
export function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, cause } = error;
  const code = 'code' in error ? { code: String(error.code) } : {};
  const deeper = cause instanceof Error && depth < MAX_CAUSES;
  return {
    name,
    ...code,
    message: messageOf(error),
    ...(deeper && { cause: describeError(cause, depth + 1) }),
  };
}

/** Several attempts that failed, such as one for each address of a name, have no message of their own. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
}
