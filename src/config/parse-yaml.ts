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
  const problems: Problem[] = [];
  let broken = false;
  for (const error of [...document.errors, ...document.warnings]) {
    if (error.code === 'DUPLICATE_KEY') continue;
    broken = true;
    problems.push({ origin: at(error.pos[0]), where: '', message: explain(error, text) });
  }
  if (!broken && document.contents === null) {
    problems.push({ origin: at(0), where: '', message: 'the file is empty' });
    broken = true;
  }
  const tree = readTree(document, at, problems);
  return { ...tree, problems, broken };
}

function explain(error: { code: string; message: string; pos: [number, number] }, text: string): string {
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
  problems: Problem[],
): Pick<ParsedYaml, 'value' | 'origins' | 'spoiled'> {
  const origins = createOrigins();
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
  return { value, origins, spoiled };
}
