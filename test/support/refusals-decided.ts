import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '../../src/core/errors.ts';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** The rooms that a request comes through. */
const ROOMS = ['listen', 'authenticate', 'authorize', 'limit', 'prepare', 'sign', 'send'];

/** What only tells of refusals. */
const TELLS = /\/(describe|explain)-/;

const BEGINNING = '<!-- refusals: vitest run test/unit/lifecycle-page.test.ts -u -->';
const END = '<!-- end of refusals -->';

/** The page with its table of what is decided where, as the sources have it. */
export function withRefusals(page: string): string {
  const [before = '', rest = ''] = page.split(BEGINNING);
  const after = rest.split(END)[1] ?? '';
  return `${before}${BEGINNING}\n\n${writeTable(findRefusals())}\n\n${END}${after}`;
}

interface Refusals {
  readonly status: number;
  readonly codes: string[];
  readonly files: readonly string[];
}

/** Codes that the same files decide are told together. */
export function findRefusals(): Refusals[] {
  const files = ROOMS.flatMap((room) =>
    readdirSync(`${SOURCE}${room}`, { recursive: true, encoding: 'utf8' }).map((name) => `${room}/${name}`),
  ).filter((file) => file.endsWith('.ts') && !TELLS.test(file));
  const texts = files.map((file) => [file, readFileSync(`${SOURCE}${file}`, 'utf8')] as const);

  const rows = new Map<string, Refusals>();
  for (const [code, { status }] of Object.entries(ERRORS)) {
    const deciding = texts.filter(([, text]) => text.includes(`'${code}'`)).map(([file]) => file);
    const key = `${status} ${deciding.join(' ')}`;
    const row = rows.get(key) ?? { status, codes: [], files: deciding };
    row.codes.push(code);
    rows.set(key, row);
  }
  return [...rows.values()].sort((one, other) => one.status - other.status);
}

function writeTable(refusals: readonly Refusals[]): string {
  const quoted = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');
  const rows = refusals.map(({ status, codes, files }) => [
    String(status),
    quoted(codes),
    quoted(files.map((file) => `src/${file}`)),
  ]);
  const table = [['status', 'code', 'decided in'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join(
    '\n',
  );
}
