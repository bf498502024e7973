import type { AllowConfig, ClaimMatchConfig, ConditionsConfig, NamesConfig } from '../config/schema/rules.ts';
import type { ClaimOperand, ClaimTest, Condition, Rule } from '../core/rule.ts';

/** Compiles an `allow` into plain data. */
export function compileRule(allow: AllowConfig): Rule {
  return typeof allow === 'string'
    ? { kind: allow }
    : { kind: 'conditions', condition: compileConditions(allow) };
}

/**
 * Compiles an object of conditions, all of which must hold. The cheapest and most telling come first: a caller from
 * another pool is told so, rather than that a group is missing.
 */
export function compileConditions(config: ConditionsConfig): Condition {
  const all: Condition[] = [];
  if (config.userPools !== undefined) all.push({ kind: 'userPools', values: listOf(config.userPools) });
  if (config.clientIds !== undefined) all.push({ kind: 'clientIds', values: listOf(config.clientIds) });
  if (config.tokenUse !== undefined) all.push({ kind: 'tokenUse', values: listOf(config.tokenUse) });
  if (config.groups !== undefined) all.push(...compileNames('groups', config.groups));
  if (config.scopes !== undefined) all.push(...compileNames('scopes', config.scopes));
  for (const [name, match] of Object.entries(config.claims ?? {})) {
    all.push({ kind: 'claim', name, test: compileClaim(match) });
  }
  if (config.allOf !== undefined) all.push({ kind: 'all', of: config.allOf.map(compileConditions) });
  if (config.anyOf !== undefined) all.push({ kind: 'any', of: config.anyOf.map(compileConditions) });
  if (config.noneOf !== undefined) all.push({ kind: 'none', of: config.noneOf.map(compileConditions) });
  return all.length === 1 ? (all[0] as Condition) : { kind: 'all', of: all };
}

function compileNames(kind: 'groups' | 'scopes', names: NamesConfig): Condition[] {
  if (typeof names === 'string' || Array.isArray(names)) {
    return [{ kind, quantifier: 'anyOf', values: listOf(names) }];
  }
  return (['anyOf', 'allOf', 'noneOf'] as const).flatMap((quantifier) => {
    const values = names[quantifier];
    return values === undefined ? [] : [{ kind, quantifier, values }];
  });
}

function compileClaim(match: ClaimMatchConfig): ClaimTest {
  if (typeof match !== 'object') return { kind: 'equals', values: [operand(match)] };
  if (Array.isArray(match)) return { kind: 'equals', values: match.map(operand) };
  if ('present' in match) return { kind: 'present', expected: match.present };
  if ('equals' in match) return { kind: 'equals', values: [operand(match.equals)] };
  if ('not' in match) return { kind: 'not', values: listOf(match.not).map(operand) };
  if ('startsWith' in match) return { kind: 'startsWith', value: match.startsWith };
  return { kind: 'contains', value: String(match.contains) };
}

/** `"{name}"` is the value of a path parameter; that the route has it was checked with the configuration. */
function operand(value: string | number | boolean): ClaimOperand {
  const parameter = /^\{([^{}]+)\}$/.exec(String(value))?.[1];
  return parameter === undefined ? { literal: String(value) } : { parameter };
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
