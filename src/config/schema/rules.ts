import { z } from 'zod';
import { identifier, oneOrMore } from './scalars.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** A list means any of it; the object form says which of any, all and none is meant. */
const names = z.union([
  oneOrMore(z.string().min(1)),
  z
    .strictObject({
      anyOf: z.array(z.string().min(1)).min(1).optional().describe('At least one of these.'),
      allOf: z.array(z.string().min(1)).min(1).optional().describe('Every one of these.'),
      noneOf: z.array(z.string().min(1)).min(1).optional().describe('Not one of these.'),
    })
    .refine((match) => Object.keys(match).length > 0, 'expected at least one of anyOf, allOf and noneOf'),
]);
export type NamesConfig = z.output<typeof names>;

const claimMatch = z.union([
  oneOrMore(scalar),
  z.strictObject({ present: z.boolean().describe('Whether the claim must be there, whatever it says.') }),
  z.strictObject({ equals: scalar.describe('The value it must have; the same as the value by itself.') }),
  z.strictObject({ not: oneOrMore(scalar).describe('Values it must not have; it must be there.') }),
  z.strictObject({ startsWith: z.string().min(1).describe('How its text must begin.') }),
  z.strictObject({ contains: scalar.describe('A member its list must have, or a part its text must have.') }),
]);
export type ClaimMatchConfig = z.output<typeof claimMatch>;

export interface ConditionsConfig {
  groups?: NamesConfig | undefined;
  scopes?: NamesConfig | undefined;
  claims?: Record<string, ClaimMatchConfig> | undefined;
  userPools?: string | string[] | undefined;
  clientIds?: string | string[] | undefined;
  tokenUse?: 'access' | 'id' | ('access' | 'id')[] | undefined;
  anyOf?: ConditionsConfig[] | undefined;
  allOf?: ConditionsConfig[] | undefined;
  noneOf?: ConditionsConfig[] | undefined;
}

/** All parts of one object must hold. */
export const conditions: z.ZodType<ConditionsConfig, ConditionsConfig> = z.lazy(() =>
  z
    .strictObject({
      groups: names.optional().describe('Members of cognito:groups.'),
      scopes: names.optional().describe('Scopes of an access token.'),
      claims: z
        .record(z.string().min(1), claimMatch)
        .refine((all) => Object.keys(all).length > 0, 'expected at least one claim')
        .optional()
        .describe(
          'Claims by name: a value, a list of values, "{name}" for a path parameter, or { present, equals, not, startsWith, contains }.',
        ),
      userPools: oneOrMore(identifier).optional().describe('Pools, by their names in this file.'),
      clientIds: oneOrMore(z.string().min(1)).optional().describe('App clients.'),
      tokenUse: oneOrMore(z.enum(['access', 'id']))
        .optional()
        .describe('Kinds of token.'),
      anyOf: z.array(conditions).min(1).optional().describe('At least one of these must hold.'),
      allOf: z.array(conditions).min(1).optional().describe('Each of these must hold.'),
      noneOf: z.array(conditions).min(1).optional().describe('None of these may hold.'),
    })
    .refine((all) => Object.keys(all).length > 0, 'expected at least one condition')
    .meta({ id: 'conditions' }),
);

export const allow = z.union([z.enum(['public', 'optional', 'authenticated']), conditions]);
export type AllowConfig = z.output<typeof allow>;
