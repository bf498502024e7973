/** Seconds, as people say them: `8 s`, `12 min`, `3 h`, `5 days`. */
export function ageInWords(seconds: number): string {
  const units = [
    [86_400, 'days'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const;
  for (const [size, name] of units) if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${name}`;
  return `${Math.max(0, Math.floor(seconds))} s`;
}

/** Seconds that a request took: `0.8 ms`, `12 ms`, `1.4 s`. */
export function durationInWords(seconds: number): string {
  const milliseconds = seconds * 1000;
  if (milliseconds >= 1000) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** `1,204`, or with one place where that says more: `0.4`. */
export function numberInWords(value: number): string {
  const places = value !== 0 && value < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** `02:51`, in UTC as in the log. */
export function clockTime(time: number): string {
  return new Date(time).toISOString().slice(11, 16);
}
