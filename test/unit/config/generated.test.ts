import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createJsonSchema, describeConfig, type JsonSchema } from '../../../src/config/json-schema.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createReference, insertReference } from '../../../src/config/reference.ts';
import { problemsOf } from '../../support/config-text.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const examples = readdirSync(join(root, 'config/examples')).filter((name) => name.endsWith('.yaml'));

/** Every schema in a schema, itself included. */
function schemasIn(schema: JsonSchema): JsonSchema[] {
  const { items, properties = {}, additionalProperties, anyOf = [], definitions = {} } = schema;
  const inner = [
    ...(items ? [items] : []),
    ...Object.values(properties),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...anyOf,
    ...Object.values(definitions),
  ];
  return [schema, ...inner.flatMap(schemasIn)];
}

describe('the JSON Schema', () => {
  it('that is committed is the one of this code: node src/main.ts schema --write config/config.schema.json', () => {
    expect(JSON.parse(read('config/config.schema.json'))).toEqual(createJsonSchema());
  });

  it('explains every key', () => {
    const silent = schemasIn(describeConfig()).flatMap(({ properties = {} }) =>
      Object.entries(properties).filter(([, schema]) => !isExplained(schema)),
    );
    expect(silent.map(([key]) => key)).toEqual([]);
  });

  it('lets a substitution stand for any value', () => {
    const { definitions, ...schema } = createJsonSchema();
    const blunt = schemasIn({ ...schema, definitions: definitions ?? {} }).filter(
      ({ type, pattern, enum: choices }) =>
        type === 'string' &&
        (pattern === undefined ? choices !== undefined : !new RegExp(pattern).test('${NAME}')),
    );
    const alone = blunt.filter((choice) => !hasNeighbour(choice, schemasIn(createJsonSchema())));
    expect(alone).toEqual([]);
  });

  it('accepts no key that it does not know', () => {
    const open = schemasIn(createJsonSchema()).filter(
      ({ properties, additionalProperties }) => properties !== undefined && additionalProperties !== false,
    );
    expect(open).toEqual([]);
  });
});

/** Whether the key says what it means itself, or groups keys that do. */
function isExplained({ description, properties }: JsonSchema): boolean {
  return description !== undefined || properties !== undefined;
}

/** Whether a choice stands beside one that takes a substitution. */
function hasNeighbour(choice: JsonSchema, all: readonly JsonSchema[]): boolean {
  const wanted = JSON.stringify(choice);
  return all.some(
    ({ anyOf = [] }) =>
      anyOf.some((option) => JSON.stringify(option) === wanted) &&
      anyOf.some((option) => option.pattern?.startsWith('\\$\\{')),
  );
}

describe('the reference', () => {
  it('that is committed is the one of this code: node src/main.ts schema --markdown --write docs/configuration.md', () => {
    const page = read('docs/configuration.md');
    expect(insertReference(page)).toBe(page);
  });

  it('has a line for every key', () => {
    const reference = createReference();
    const keys = schemasIn(describeConfig()).flatMap(({ properties = {} }) => Object.keys(properties));
    const missing = [...new Set(keys)].filter(
      (key) => !new RegExp(`[\\s.\`]${key}[.\`\\[\\n]`).test(reference),
    );
    expect(missing).toEqual([]);
  });

  it('needs its two markers', () => {
    expect(insertReference('# A page')).toBeNull();
  });
});

describe('the examples', () => {
  it.each(examples)('%s can be used', (name) => {
    const path = join(root, 'config/examples', name);
    expect(problemsOf(loadConfig({ kind: 'file', path, name }, { environment: {} }))).toEqual([]);
  });

  it.each(examples)('%s names its JSON Schema where it is', (name) => {
    expect(read(`config/examples/${name}`).split('\n')[0]).toBe(
      '# yaml-language-server: $schema=../config.schema.json',
    );
  });

  it('reference.yaml has every key, if only in a comment', () => {
    const text = read('config/examples/reference.yaml');
    const keys = schemasIn(describeConfig()).flatMap(({ properties = {} }) => Object.keys(properties));
    const missing = [...new Set(keys)].filter((key) => !new RegExp(`[\\s{]${key}:`).test(text));
    expect(missing).toEqual([]);
  });

  it('are YAML that nothing needs to be substituted in', () => {
    for (const name of examples) expect(parse(read(`config/examples/${name}`))).toBeTypeOf('object');
  });
});
