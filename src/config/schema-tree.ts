import { z } from 'zod';
import type { ConfigPath } from './config-path.ts';
import { type SchemaRole, schemaRoles } from './schema/scalars.ts';

/** Any schema, as zod's introspection gives it. */
export type SchemaNode = z.core.$ZodType;

/** A step that stands for every key of a record, or every index of a list. */
export const EVERY = Symbol('every');
export type PathPattern = readonly (string | typeof EVERY)[];

/** The definition of a node, told apart by its `type`. */
export function definitionOf(node: SchemaNode): z.core.$ZodTypes['_zod']['def'] {
  return (node as z.core.$ZodTypes)._zod.def;
}

/** The schemas one level in when the node only wraps, chooses or postpones; empty when it describes values itself. */
function wrapped(node: SchemaNode): readonly SchemaNode[] {
  const definition = definitionOf(node);
  switch (definition.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
      return [definition.innerType];
    case 'pipe':
      return [definition.in];
    case 'lazy':
      return [(node as z.core.$ZodLazy)._zod.innerType];
    case 'union':
      return definition.options;
    default:
      return [];
  }
}

/** The schemas that describe the values people may write here, out of all wrappers and unions. */
export function alternatives(node: SchemaNode): SchemaNode[] {
  const inner = wrapped(node);
  return inner.length === 0 ? [node] : inner.flatMap(alternatives);
}

/** The schema of what stands under a key or an index, if this one (not a wrapper) has it. */
export function childOf(node: SchemaNode, step: string | number): SchemaNode | undefined {
  const definition = definitionOf(node);
  switch (definition.type) {
    case 'object':
      return Object.hasOwn(definition.shape, step) ? definition.shape[step] : undefined;
    case 'record':
      return definition.valueType;
    case 'array':
      return definition.element;
    default:
      return undefined;
  }
}

/** Every schema that could apply at a path. */
export function schemasAt(root: SchemaNode, path: ConfigPath): SchemaNode[] {
  let nodes: SchemaNode[] = [root];
  for (const step of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => childOf(node, step) ?? []);
  }
  return nodes;
}

/** Where in a configuration values with these marks are, by the schema. */
export function pathsMarked(root: SchemaNode, wanted: Partial<SchemaRole>): PathPattern[] {
  const found: PathPattern[] = [];
  const visit = (node: SchemaNode, path: PathPattern, postponed: readonly SchemaNode[]): void => {
    const marks = schemaRoles.get(node as z.ZodType);
    if (marks !== undefined && hasMarks(marks, wanted)) {
      found.push(path);
      return;
    }
    const definition = definitionOf(node);
    if (definition.type === 'lazy') {
      const inner = (node as z.core.$ZodLazy)._zod.innerType;
      if (!postponed.includes(inner)) visit(inner, path, [...postponed, inner]);
      return;
    }
    if (definition.type === 'object') {
      for (const [key, child] of Object.entries(definition.shape)) visit(child, [...path, key], postponed);
    } else if (definition.type === 'record') {
      visit(definition.valueType, [...path, EVERY], postponed);
    } else if (definition.type === 'array') {
      visit(definition.element, [...path, EVERY], postponed);
    } else {
      for (const inner of wrapped(node)) visit(inner, path, postponed);
    }
  };
  visit(root, [], []);
  return found;
}

function hasMarks(marks: SchemaRole, wanted: Partial<SchemaRole>): boolean {
  return Object.entries(wanted).every(([mark, value]) => marks[mark as keyof SchemaRole] === value);
}

/** Calls `visit` wherever the pattern leads. */
export function visitAtPattern(
  value: unknown,
  pattern: PathPattern,
  visit: (value: unknown, path: ConfigPath) => void,
): void {
  mapAtPattern(value, pattern, (found, path) => {
    visit(found, path);
    return found;
  });
}

/** A copy of the value with `change` made wherever the pattern leads. */
export function mapAtPattern(
  value: unknown,
  pattern: PathPattern,
  change: (value: unknown, path: ConfigPath) => unknown,
  path: ConfigPath = [],
): unknown {
  const [step, ...rest] = pattern;
  if (step === undefined) return change(value, path);
  if (Array.isArray(value)) {
    if (step !== EVERY) return value;
    return value.map((item, index) => mapAtPattern(item, rest, change, [...path, index]));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    step === EVERY || step === key ? mapAtPattern(item, rest, change, [...path, key]) : item,
  ]);
  return Object.fromEntries(entries);
}

/** Whether a schema accepts the value as it is. */
export function accepts(node: SchemaNode, value: unknown): boolean {
  return z.safeParse(node, value).success;
}
