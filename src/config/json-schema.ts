import { z } from 'zod';
import { isMapping } from './config-path.ts';
import { configSchema } from './schema/config.ts';

/** The parts of a JSON Schema that zod makes of ours. */
export interface JsonSchema {
  $schema?: string;
  $ref?: string;
  title?: string;
  description?: string;
  default?: unknown;
  type?: string | string[];
  pattern?: string;
  format?: string;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  propertyNames?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  definitions?: Record<string, JsonSchema>;
}

/** The configuration file as JSON Schema describes it; what is written, not what is made of it. */
export function describeConfig(): JsonSchema {
  return mapSchema(z.toJSONSchema(configSchema, { target: 'draft-07', io: 'input' }) as JsonSchema, tidy);
}

/** The JSON Schema (draft-07) of the configuration file, for completion and checks in editors. */
export function createJsonSchema(): JsonSchema {
  const { $schema, ...schema } = mapSchema(describeConfig(), allowSubstitution);
  return { ...($schema ? { $schema } : {}), title: 'cognito-auth-proxy configuration', ...schema };
}

/** The schema with `change` made to it and to every schema in it, from the inside out; names of keys are left alone. */
function mapSchema(schema: JsonSchema, change: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const inner = (each: JsonSchema): JsonSchema => mapSchema(each, change);
  const all = (record: Record<string, JsonSchema>): Record<string, JsonSchema> =>
    Object.fromEntries(Object.entries(record).map(([name, each]) => [name, inner(each)]));
  const { items, properties, additionalProperties, anyOf, definitions } = schema;
  return change({
    ...schema,
    ...(items && { items: inner(items) }),
    ...(properties && { properties: all(properties) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: inner(additionalProperties) }),
    ...(anyOf && { anyOf: anyOf.map(inner) }),
    ...(definitions && { definitions: all(definitions) }),
  });
}

/** Without what only JavaScript or zod would say: the largest safe integer, names of formats, empty defaults. */
function tidy(schema: JsonSchema): JsonSchema {
  const result = { ...schema };
  if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
  if (result.pattern !== undefined) delete result.format;
  if (isEmptyMapping(result.default)) delete result.default;
  const [only, ...others] = result.allOf ?? [];
  return only !== undefined && others.length === 0 && Object.keys(result).length === 1 ? only : result;
}

/** What stands for "the defaults of everything in it". */
function isEmptyMapping(value: unknown): boolean {
  return isMapping(value) && Object.keys(value).length === 0;
}

/** What an editor must accept in place of a value: a substitution, which the loader types when it is made. */
const SUBSTITUTION = '\\$\\{[A-Za-z_]';

function allowSubstitution(schema: JsonSchema): JsonSchema {
  const { title, description, default: preset, ...checked } = schema;
  if (checked.pattern !== undefined) return { ...schema, pattern: `${checked.pattern}|${SUBSTITUTION}` };
  const typed =
    checked.enum !== undefined || ['integer', 'number', 'boolean'].some((type) => type === checked.type);
  if (!typed) return schema;
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    anyOf: [checked, { type: 'string', pattern: SUBSTITUTION }],
  };
}
