import { z } from 'zod';
import { isMapping } from './config-path.ts';
import { choicesOf, describeExpected, kindExpected, kindOf } from './describe-expected.ts';
import { listWords } from './describe-value.ts';
import type { Finding } from './problem.ts';
import { definitionOf, type SchemaNode } from './schema-tree.ts';
import { didYouMean } from './suggest.ts';

/** Which of several schemas was meant, or what to say when none can have been. Paths are relative to the value. */
export type Choice = { readonly meant: SchemaNode } | { readonly findings: readonly Finding[] };

/**
 * Picks the option of a union that the value was meant for, by the kind of the value and by the keys it has, so that
 * the message is about that one.
 * @param options the alternatives, out of their wrappers
 * @param got what a message may say of the value
 */
export function chooseOption(
  union: SchemaNode,
  options: readonly SchemaNode[],
  value: unknown,
  got: string,
): Choice {
  const sameKind = options.filter((option) => kindExpected(option) === kindOf(value));
  const onlyChoices = sameKind.every((option) => choicesOf(option).length > 0);
  if (onlyChoices) {
    const guess = typeof value === 'string' ? didYouMean(value, sameKind.flatMap(choicesOf)) : '';
    return fail(`expected ${describeExpected(options)}${got}${guess}`);
  }
  const [first, ...others] = sameKind;
  if (first !== undefined && others.length === 0) return { meant: first };
  if (isMapping(value)) return chooseMapping(sameKind, value);
  const message = z.safeParse(union, value).error?.issues[0]?.message;
  return fail(`${message ?? `expected ${describeExpected(options)}`}${got}`);
}

function fail(message: string): Choice {
  return { findings: [{ path: [], message }] };
}

function chooseMapping(options: readonly SchemaNode[], value: Record<string, unknown>): Choice {
  const keys = Object.keys(value);
  const known = new Set(options.flatMap(keysOf));
  const unknown = keys.filter((key) => !known.has(key));
  const names = listWords([...known].map((key) => JSON.stringify(key)));
  if (unknown.length > 0) {
    return {
      findings: unknown.map((key) => ({
        path: [key],
        at: 'key',
        message: `unknown key${didYouMean(key, known) || `, expected ${names}`}`,
      })),
    };
  }
  const meant = options.find((option) => keys.every((key) => keysOf(option).includes(key)));
  if (keys.length > 0 && meant !== undefined) return { meant };
  if (keys.length === 0) return fail(`expected the key ${names}`);
  return fail(
    `${listWords(
      keys.map((key) => JSON.stringify(key)),
      'and',
    )} cannot stand together`,
  );
}

function keysOf(node: SchemaNode): string[] {
  const definition = definitionOf(node);
  return definition.type === 'object' ? Object.keys(definition.shape) : [];
}
