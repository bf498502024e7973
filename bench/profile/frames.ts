/** A function as V8 names it in its profiles. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** A part of a whole. */
export interface Share {
  readonly what: string;
  readonly share: number;
}

/** The function and where it stands, told alike wherever the repository and its packages lie. */
export function describeFrame({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${placeOf(url)}:${lineNumber + 1}`;
}

/** The room of ours or the package that a function belongs to; null for Node's own. */
export function sourceOf({ url }: CallFrame): string | null {
  const place = placeOf(url);
  if (place.startsWith('dist/')) return place.split('/').slice(0, 2).join('/');
  if (!url.includes('/node_modules/')) return null;
  return place
    .split('/')
    .slice(0, place.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Amounts by what they are for. */
export class Ledger {
  readonly #amounts = new Map<string, number>();
  #total = 0;

  add(what: string, amount: number): void {
    this.#amounts.set(what, (this.#amounts.get(what) ?? 0) + amount);
    this.#total += amount;
  }

  get total(): number {
    return this.#total;
  }

  /** The largest first. */
  shares(): Share[] {
    return [...this.#amounts]
      .map(([what, amount]) => ({ what, share: amount / this.#total }))
      .sort((a, b) => b.share - a.share);
  }
}

function placeOf(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/dist\//, 'dist/');
}
