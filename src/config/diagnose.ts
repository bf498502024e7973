import { z } from 'zod';
import { chooseOption } from './choose-option.ts';
import { type ConfigPath, isMapping } from './config-path.ts';
import { describeExpected, describeRefusal } from './describe-expected.ts';
import { describeValue, listWords } from './describe-value.ts';
import type { Finding } from './problem.ts';
import { schemaRoles } from './schema/scalars.ts';
import { accepts, alternatives, childOf, definitionOf, pathsMarked, type SchemaNode } from './schema-tree.ts';
import { nearest } from './suggest.ts';
import { TELL_WRITTEN, type Telling } from './telling.ts';

/**
 * Says what is wrong with a value that a schema refuses. zod stays the judge; this walk follows what the writer meant
 * (the branch of a union, the key that was misspelt), where zod reports what its parser tried.
 */
export function diagnose(schema: SchemaNode, value: unknown, telling: Telling = TELL_WRITTEN): Finding[] {
  if (accepts(schema, value)) return [];
  const place: Place = { path: [], secret: false, outerKeys: [], telling };
  const findings = examine(schema, value, place);
  return findings.length > 0 ? findings : ownFindings(schema, value, place);
}

interface Place {
  readonly path: ConfigPath;
  /** Neither the value nor what is in it may be repeated in a message. */
  readonly secret: boolean;
  /** The keys of the mapping that holds this one. */
  readonly outerKeys: readonly string[];
  readonly telling: Telling;
}

function examine(node: SchemaNode, value: unknown, outer: Place): Finding[] {
  const place = schemaRoles.get(node as z.ZodType)?.role === 'hidden' ? { ...outer, secret: true } : outer;
  const definition = definitionOf(node);
  switch (definition.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return value === undefined ? [] : examine(definition.innerType, value, place);
    case 'nullable':
      return value === null ? [] : examine(definition.innerType, value, place);
    case 'lazy':
      return examine((node as z.core.$ZodLazy)._zod.innerType, value, place);
    case 'pipe':
      return orElseOwn(examine(definition.in, value, place), node, value, place);
    case 'union':
      return examineUnion(node, value, place);
    case 'object':
      if (!isMapping(value)) return [wrongKind(node, value, place)];
      return orElseOwn(examineObject(node, definition.shape, value, place), node, value, place);
    case 'record':
      if (!isMapping(value)) return [wrongKind(node, value, place)];
      return orElseOwn(examineRecord(definition, value, place), node, value, place);
    case 'array':
      if (!Array.isArray(value)) return [wrongKind(node, value, place)];
      return orElseOwn(
        value.flatMap((item, index) => examine(definition.element, item, inside(place, index))),
        node,
        value,
        place,
      );
    default:
      if (accepts(node, value)) return [];
      return [{ path: place.path, message: describeRefusal(node, value, gotIn(place, node, value)) }];
  }
}

function inside(place: Place, step: string | number, outerKeys: readonly string[] = []): Place {
  return { ...place, path: [...place.path, step], outerKeys };
}

function examineUnion(node: SchemaNode, value: unknown, outer: Place): Finding[] {
  if (accepts(node, value)) return [];
  // Whoever mixes its options up may have put the secret of one where another has none.
  const place = holdsSecret(node) ? { ...outer, secret: true } : outer;
  const choice = chooseOption(node, alternatives(node), value, gotIn(place, node, value));
  if ('meant' in choice) return examine(choice.meant, value, place);
  return choice.findings.map((finding) => ({ ...finding, path: [...place.path, ...finding.path] }));
}

type Shape = Readonly<Record<string, SchemaNode>>;

function examineObject(
  node: SchemaNode,
  shape: Shape,
  value: Record<string, unknown>,
  place: Place,
): Finding[] {
  const absent = Object.keys(shape).filter((key) => value[key] === undefined);
  const guessed = new Set<string>();
  const findings: Finding[] = [];
  for (const key of Object.keys(value).filter((name) => value[name] !== undefined)) {
    const child = childOf(node, key);
    if (child !== undefined) {
      findings.push(...examine(child, value[key], inside(place, key, Object.keys(shape))));
      continue;
    }
    const guess = nearest(key, absent) ?? nearest(key, Object.keys(shape));
    if (guess !== null) guessed.add(guess);
    const message = `unknown key${hintFor(key, guess, shape, place)}`;
    findings.push({ path: [...place.path, key], message, at: 'key' });
  }
  for (const key of absent) {
    const child = shape[key];
    if (child === undefined || accepts(child, undefined) || guessed.has(key)) continue;
    findings.push({ path: [...place.path, key], message: whyNeeded(child), at: 'parent' });
  }
  return findings;
}

/** Where the key belongs, when it is known nearby; else what is known here. */
function hintFor(key: string, guess: string | null, shape: Shape, place: Place): string {
  const below = Object.keys(shape).filter((name) => {
    const child = shape[name];
    return child !== undefined && alternatives(child).some((option) => hasKey(option, key));
  });
  if (below.length > 0) return `, did you mean ${listWords(below.map((name) => `${name}.${key}`))}?`;
  if (guess !== null) return `, did you mean ${JSON.stringify(guess)}?`;
  if (place.outerKeys.includes(key)) return ': it belongs one level further out';
  return `, expected ${listWords(Object.keys(shape))}`;
}

function hasKey(node: SchemaNode, key: string): boolean {
  return definitionOf(node).type === 'object' && childOf(node, key) !== undefined;
}

/** The schema's own words for its absence, if it has any. */
function whyNeeded(node: SchemaNode): string {
  const message = z.safeParse(node, undefined).error?.issues[0]?.message ?? '';
  return message.startsWith('is missing') ? message : 'is missing';
}

function examineRecord(
  definition: { readonly keyType: SchemaNode; readonly valueType: SchemaNode },
  value: Record<string, unknown>,
  place: Place,
): Finding[] {
  return Object.entries(value).flatMap(([key, item]) => {
    const findings = examine(definition.valueType, item, inside(place, key));
    if (accepts(definition.keyType, key)) return findings;
    const name = alternatives(definition.keyType)[0] ?? definition.keyType;
    const message = describeRefusal(name, key, `, got ${describeValue(key)}`);
    return [{ path: [...place.path, key], message, at: 'key' as const }, ...findings];
  });
}

function wrongKind(node: SchemaNode, value: unknown, place: Place): Finding {
  const message = `expected ${describeExpected([node])}${gotIn(place, node, value)}`;
  return { path: place.path, message };
}

/** What stands in place of a mapping with secrets in it may be one of them. */
function gotIn({ path, secret, telling }: Place, node: SchemaNode, value: unknown): string {
  return telling.got(path, value, secret || holdsSecret(node));
}

function holdsSecret(node: SchemaNode): boolean {
  return pathsMarked(node, { role: 'hidden' }).length > 0;
}

/** What a schema says of a value whose parts are all right: refinements, and too few entries. */
function orElseOwn(findings: Finding[], node: SchemaNode, value: unknown, place: Place): Finding[] {
  return findings.length > 0 ? findings : ownFindings(node, value, place);
}

function ownFindings(node: SchemaNode, value: unknown, { path, telling }: Place): Finding[] {
  const issues = z.safeParse(node, value).error?.issues ?? [];
  return issues.map((issue) => {
    const here = [...path, ...(issue.path as (string | number)[])];
    const file = issue.code === 'custom' ? issue.params?.['file'] : undefined;
    if (typeof file === 'string') {
      return { path: here, message: `${telling.file([...here, 'file'], file)} ${issue.message}` };
    }
    return {
      path: here,
      message: issue.code === 'too_small' ? 'expected at least one entry' : issue.message,
    };
  });
}
