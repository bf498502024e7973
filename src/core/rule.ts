/** A compiled `allow`: plain data, so that the same rule decides, is explained, and is compared for strictness. */
export type Rule =
  | { readonly kind: 'public' }
  | { readonly kind: 'optional' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'conditions'; readonly condition: Condition };

export type Condition =
  | { readonly kind: 'all' | 'any' | 'none'; readonly of: readonly Condition[] }
  | {
      readonly kind: 'groups' | 'scopes';
      readonly quantifier: 'anyOf' | 'allOf' | 'noneOf';
      readonly values: readonly string[];
    }
  | { readonly kind: 'userPools' | 'clientIds' | 'tokenUse'; readonly values: readonly string[] }
  | { readonly kind: 'claim'; readonly name: string; readonly test: ClaimTest };

export type ClaimTest =
  | { readonly kind: 'present'; readonly expected: boolean }
  | { readonly kind: 'equals' | 'not'; readonly values: readonly ClaimOperand[] }
  | { readonly kind: 'startsWith'; readonly value: string }
  | { readonly kind: 'contains'; readonly value: string };

/** A literal, or the value of a path parameter. */
export type ClaimOperand = { readonly literal: string } | { readonly parameter: string };
