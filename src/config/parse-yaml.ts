import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import { type ConfigPath, dotted } from './config-path.ts';
import { createOrigins, type Origins } from './origins.ts';
import type { Origin, Problem } from './problem.ts';

/** A YAML text as plain values, with the place of each. */
export interface ParsedYaml {
  readonly value: unknown;
  readonly origins: Origins;
  readonly problems: readonly Problem[];
  /** Paths whose own text is at fault: what later passes say about them is only a consequence. */
  readonly spoiled: readonly ConfigPath[];
  /** Whether the text has no certain structure: what later passes would say about it is noise. */
  readonly broken: boolean;
}

/** Aliases followed in one file; more is a mistake, or an attempt to fill the memory. */
const MOST_ALIASES = 1000;

/** Reads YAML 1.2 (core schema). Mistakes in it are problems, never exceptions. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const errors = [...document.errors, ...document.warnings].filter(({ code }) => code !== 'DUPLICATE_KEY');
  const unclosed = errors.filter(isUnclosedQuote);
  const said = new Map<number, Problem>();
  // After a quote that is never closed all else is in the text.
  for (const error of unclosed.length > 0 ? unclosed : errors) {
    // One slip makes several errors: of each line the first is the one that helps.
    const start = openingQuote(document, error) ?? error.pos[0];
    const { line } = lines.linePos(start);
    if (said.has(line)) continue;
    said.set(line, { origin: at(start), where: '', message: explain(error, text) });
  }
  if (errors.length === 0 && document.contents === null) {
    said.set(1, { origin: at(0), where: '', message: 'the file is empty' });
  }
  const { problems, ...tree } = readTree(document, at);
  if (said.size > 0) return { ...tree, problems: [...said.values()], broken: true };
  return { ...tree, problems, broken: false };
}

function isUnclosedQuote({ message }: { message: string }): boolean {
  return message.startsWith('Missing closing');
}

/** Where the text starts whose closing quote is missed; what is missing is missed at the end of the file only. */
function openingQuote(
  document: Document.Parsed,
  error: { message: string; pos: [number, number] },
): number | null {
  if (!isUnclosedQuote(error)) return null;
  let start: number | null = null;
  visit(document, {
    Scalar(_, { range, type }) {
      const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (quoted && range && range[0] < error.pos[0] && range[2] >= error.pos[0]) start = range[0];
    },
  });
  return start;
}

function explain(error: { code: string; message: string; pos: [number, number] }, text: string): string {
  if (error.message.startsWith('Missing closing'))
    return 'not YAML: the quote that opens here is never closed';
  if (error.code === 'MULTIPLE_DOCS') return 'expected one YAML document, got another one after ---';
  const start = text.lastIndexOf('\n', error.pos[0] - 1) + 1;
  const end = text.indexOf('\n', error.pos[0]);
  const line = text.slice(start, end === -1 ? undefined : end);
  const inFlow = error.code === 'MISSING_CHAR' || error.code === 'UNEXPECTED_TOKEN';
  const hint =
    inFlow && /[[{,:]\s*\$\{/.test(line)
      ? '; inside [ ] and { } a substitution is put in quotes: "${NAME}"'
      : '';
  return `not YAML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}${hint}`;
}

function readTree(
  document: Document.Parsed,
  at: (offset: number) => Origin,
): Pick<ParsedYaml, 'value' | 'origins' | 'problems' | 'spoiled'> {
  const origins = createOrigins();
  const problems: Problem[] = [];
  const spoiled: ConfigPath[] = [];
  let aliases = 0;

  const complain = (offset: number, path: ConfigPath, message: string): undefined => {
    problems.push({ origin: at(offset), where: dotted(path), message });
    spoiled.push(path);
    return undefined;
  };

  const readNode = (node: Node | null, path: ConfigPath, key?: Origin): unknown => {
    const start = node?.range?.[0] ?? 0;
    origins.set(path, at(start), key);
    if (isAlias(node)) {
      aliases += 1;
      const target = node.resolve(document);
      if (target === undefined || aliases > MOST_ALIASES) {
        return complain(start, path, `the alias *${node.source} cannot be followed`);
      }
      return readNode(target, path, key);
    }
    if (isMap(node)) return readMapping(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => readNode(item as Node, [...path, index]));
    if (!isScalar(node)) return null;
    if (node.value === null && node.source === '') {
      complain(start, path, 'has no value: give it one, write null if that is meant, or take the key out');
    }
    return node.value;
  };

  const readMapping = (pairs: readonly Pair[], path: ConfigPath): Record<string, unknown> => {
    const mapping: Record<string, unknown> = {};
    for (const pair of pairs) {
      const keyNode = pair.key as Node;
      const start = keyNode.range?.[0] ?? 0;
      if (!isScalar(keyNode)) {
        complain(start, path, 'expected a plain name as key');
        continue;
      }
      const name = String(keyNode.source ?? keyNode.value);
      const here = [...path, name];
      if (Object.hasOwn(mapping, name)) complain(start, here, 'this key is there twice');
      else if (name === '__proto__') complain(start, here, 'this name is not allowed');
      else if (name.includes('${')) complain(start, here, 'substitutions are made in values, not in keys');
      else mapping[name] = readNode(pair.value as Node | null, here, at(start));
    }
    return mapping;
  };

  const value = readNode(document.contents, []);
  return { value, origins, problems, spoiled };
}
