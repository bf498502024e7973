import { type Document, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { createOrigins, type Origins } from './origins.ts';
import type { Origin, Problem } from './problem.ts';
import { readYamlTree, type YamlTree } from './yaml-tree.ts';

/** A YAML text as plain values, with the place of each. */
export interface ParsedYaml extends YamlTree {
  readonly origins: Origins;
}

/** Reads YAML 1.2 (core schema). Mistakes in it are problems, never exceptions. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const origins = createOrigins();
  const at = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const problems = syntaxMistakes(document, text).map(
    ({ offset, message }): Problem => ({ origin: at(offset), where: '', message }),
  );
  if (problems.length === 0 && document.contents === null) {
    problems.push({ origin: at(0), where: '', message: 'the file is empty' });
  }
  const tree = readYamlTree(document, at, origins);
  return problems.length > 0 ? { ...tree, problems, broken: true, origins } : { ...tree, origins };
}

interface SyntaxMistake {
  readonly offset: number;
  readonly message: string;
}

/** One slip makes several errors: of each line the first is the one that helps. */
function syntaxMistakes(document: Document.Parsed, text: string): SyntaxMistake[] {
  const errors = [...document.errors, ...document.warnings].filter(({ code }) => code !== 'DUPLICATE_KEY');
  const unclosed = errors.filter(isUnclosedQuote);
  // Behind a quote that is never closed everything is text.
  if (unclosed.length > 0) {
    const message = 'not YAML: the quote that opens here is never closed';
    return unclosed.map((error) => ({ offset: openingQuote(document, error.pos[0]), message }));
  }
  const ofLine = new Map<number, SyntaxMistake>();
  for (const error of errors) {
    const [offset] = error.pos;
    const start = text.lastIndexOf('\n', offset - 1) + 1;
    const line = text.slice(start).split('\n', 1)[0] ?? '';
    if (!ofLine.has(start)) ofLine.set(start, { offset, message: explain(error, line) });
  }
  return [...ofLine.values()];
}

function isUnclosedQuote({ message }: YAMLError): boolean {
  return message.startsWith('Missing closing');
}

/** Where the text starts whose closing quote is missed only at the end of the file. */
function openingQuote(document: Document.Parsed, missedAt: number): number {
  let start = missedAt;
  visit(document, {
    Scalar(_, { range, type }) {
      const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (quoted && range && range[0] < missedAt && range[2] >= missedAt) start = range[0];
    },
  });
  return start;
}

/** What messages quote of the file may be a part of a secret. */
const QUOTED =
  /(?<=unresolved tag|extra characters|token in YAML (?:document|stream)|not a YAML token): .*|(?<=escape sequence) .*/is;

function explain({ code, message }: YAMLError, line: string): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one YAML document, got another one after ---';
  const words = message.replace(QUOTED, '');
  const said = `not YAML: ${words.charAt(0).toLowerCase()}${words.slice(1)}`;
  const inFlow = code === 'MISSING_CHAR' || code === 'UNEXPECTED_TOKEN';
  if (!inFlow || !/[[{,:]\s*\$\{/.test(line)) return said;
  return `${said}; inside [ ] and { } a substitution is put in quotes: "\${NAME}"`;
}
