import { z } from 'zod';
import { isMapping } from './config-path.ts';
import { listWords } from './describe-value.ts';
import { definitionOf, type SchemaNode } from './schema-tree.ts';
import { didYouMean } from './suggest.ts';

/** The kinds of value YAML can hold, in the words of the messages. */
export type Kind = 'mapping' | 'list' | 'text' | 'number' | 'boolean' | 'null';

export function kindOf(value: unknown): Kind {
  if (isMapping(value)) return 'mapping';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'null';
}

/** The kind of value a schema (not a wrapper) describes. */
export function kindExpected(node: SchemaNode): Kind {
  const definition = definitionOf(node);
  switch (definition.type) {
    case 'object':
    case 'record':
      return 'mapping';
    case 'array':
      return 'list';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'literal':
      return kindOf(definition.values[0]);
    default:
      return 'text';
  }
}

/** The values a schema chooses from by name; empty when it is not such a choice. */
export function choicesOf(node: SchemaNode): string[] {
  const definition = definitionOf(node);
  if (definition.type === 'enum') return Object.values(definition.entries).map(String);
  return definition.type === 'literal' ? definition.values.map(String) : [];
}

/** What may stand here: `"public", "optional" or a mapping`. */
export function describeExpected(nodes: readonly SchemaNode[]): string {
  const choices = nodes.flatMap(choicesOf).map((choice) => JSON.stringify(choice));
  const kinds = nodes.filter((node) => choicesOf(node).length === 0).map(describeKind);
  return listWords([...new Set([...choices, ...kinds])]);
}

function describeKind(node: SchemaNode): string {
  switch (kindExpected(node)) {
    case 'mapping':
      return onlyKeyOf(node) ?? 'a mapping';
    case 'list':
      return 'a list';
    case 'number':
      return z.safeParse(node, 1.5).success ? 'a number' : 'a whole number';
    case 'boolean':
      return 'true or false';
    default:
      return formatWanted(node)?.replace(/^expected /, '') ?? 'text';
  }
}

/** `{ file: ... }` for a mapping that can have one key only. */
function onlyKeyOf(node: SchemaNode): string | null {
  const definition = definitionOf(node);
  const keys = definition.type === 'object' ? Object.keys(definition.shape) : [];
  return keys.length === 1 ? `{ ${keys[0]}: ... }` : null;
}

/** The schema's own words for the form of its text, or null when any text will do. */
function formatWanted(node: SchemaNode): string | null {
  const verdict = z.safeParse(node, '\u0000');
  return verdict.success ? null : (verdict.error.issues[0]?.message ?? null);
}

/**
 * Why a scalar schema refuses the value.
 * @param got what the message may say of the value
 */
export function describeRefusal(node: SchemaNode, value: unknown, got: string): string {
  const choices = choicesOf(node);
  if (choices.length > 0) {
    const guess = typeof value === 'string' ? didYouMean(value, choices) : '';
    return `expected ${describeExpected([node])}${got}${guess}`;
  }
  if (kindOf(value) !== kindExpected(node)) return `${describeWrongKind(node, value)}${got}`;
  const issue = z.safeParse(node, value).error?.issues[0];
  switch (issue?.code) {
    case 'too_small':
      if (issue.origin === 'string') return 'expected a text that is not empty';
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${got}`;
    case 'invalid_type':
      return `expected ${describeKind(node)}${got}`;
    case 'invalid_format':
      return `${issue.message}${got}`;
    default:
      return issue?.message ?? `expected ${describeKind(node)}${got}`;
  }
}

function describeWrongKind(node: SchemaNode, value: unknown): string {
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  if (kindExpected(node) === 'text' && scalar && z.safeParse(node, String(value)).success) {
    return 'expected text in quotes';
  }
  return `expected ${describeKind(node)}`;
}
