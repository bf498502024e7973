import type { ClaimOperand, ClaimTest, Condition } from '../core/rule.ts';

/** A condition in the words of the configuration, for the log and for `explain`. */
export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
      return `allOf(${condition.of.map(describeCondition).join('; ')})`;
    case 'any':
      return `anyOf(${condition.of.map(describeCondition).join('; ')})`;
    case 'none':
      return `noneOf(${condition.of.map(describeCondition).join('; ')})`;
    case 'groups':
    case 'scopes':
      return `${condition.kind} ${condition.quantifier} [${condition.values.join(', ')}]`;
    case 'userPools':
    case 'clientIds':
    case 'tokenUse':
      return `${condition.kind} [${condition.values.join(', ')}]`;
    case 'claim':
      return `claim ${condition.name} ${describeTest(condition.test)}`;
  }
}

function describeTest(test: ClaimTest): string {
  switch (test.kind) {
    case 'present':
      return test.expected ? 'is present' : 'is absent';
    case 'equals':
      return `equals ${test.values.map(describeOperand).join(' or ')}`;
    case 'not':
      return `is present and not ${test.values.map(describeOperand).join(' or ')}`;
    case 'startsWith':
      return `starts with ${JSON.stringify(test.value)}`;
    case 'contains':
      return `contains ${JSON.stringify(test.value)}`;
  }
}

function describeOperand(operand: ClaimOperand): string {
  return 'literal' in operand ? JSON.stringify(operand.literal) : `{${operand.parameter}} of the path`;
}
