import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'clientIds without a value',
    `
      userPools:
        main:
          userPoolId: us-east-1_Abc
          clientIds:
          tokenUse: [access]
    `,
    [
      'c.yaml:4:15: userPools.main.clientIds: has no value: give it one, write null if that is meant, or take the key out',
    ],
  ],
  [
    'a section without a value',
    `
      server:
      log: { level: info }
    `,
    ['c.yaml:1:8: server: has no value: give it one, write null if that is meant, or take the key out'],
  ],
  [
    'a key twice',
    `
      log: { level: info }
      log: { level: debug }
    `,
    ['c.yaml:2:1: log: this key is there twice'],
  ],
  [
    'a name that no key may have',
    `
      __proto__: { a: 1 }
    `,
    ['c.yaml:1:1: __proto__: this name is not allowed'],
  ],
  [
    'YAML that is none: a bad indent',
    `
      server:
          listen: 0.0.0.0:80
        workers: 1
    `,
    ['c.yaml:3:1: not YAML: all mapping items must start at the same column'],
  ],
  [
    'YAML that is none: an open quote',
    `
      log: { level: "info }
    `,
    ['c.yaml:1:15: not YAML: the quote that opens here is never closed'],
  ],
  [
    'YAML that is none: a tab',
    `
      server:
      	workers: 1
    `,
    ['c.yaml:2:1: not YAML: tabs are not allowed as indentation'],
  ],
  [
    'YAML that is none: a substitution without quotes in a list',
    `
      tokenSources: [\${SOURCE}]
    `,
    [
      'c.yaml:1:17: not YAML: missing , or : between flow sequence items; inside [ ] and { } a substitution is put in quotes: "${NAME}"',
    ],
  ],
  [
    'two documents',
    `
      log: { level: info }
      ---
      log: { level: debug }
    `,
    ['c.yaml:2:1: expected one YAML document, got another one after ---'],
  ],
  [
    'an alias to nothing',
    `
      server: *defaults
    `,
    ['c.yaml:1:9: server: there is no anchor of this name'],
  ],
  [
    'an alias inside itself',
    `
      server: &s { limits: *s }
    `,
    ['c.yaml:1:22: server.limits.limits: *s stands inside what it refers to'],
  ],
  [
    'aliases that multiply',
    `
      cors: { headers: [&a [x, x], &b [*a, *a], &c [*b, *b], &d [*c, *c], &e [*d, *d], &f [*e, *e], &g [*f, *f], &h [*g, *g], &i [*h, *h]] }
    `,
    ['c.yaml:1:38: cors.headers[8][1][1][1][1][1][1][0][1]: there are more than 1000 aliases in this file'],
  ],
  [
    'a tag',
    `
      server: !secret { workers: 1 }
    `,
    ['c.yaml:1:9: not YAML: unresolved tag'],
  ],
  [
    'a mapping as a key',
    `
      ? { a: b }
      : c
    `,
    ['c.yaml:1:3: expected a plain name as key'],
  ],
  [
    'variables',
    `
      server: { listen: "\${UNSET}", workers: "\${UNSET_TOO}" }
      log: { level: "\${LEVEL}", subject: "\${bad name}" }
      "\${KEY}": 1
    `,
    [
      'c.yaml:1:19: server.listen: the environment variable UNSET is not set, and ${UNSET} gives no default',
      'c.yaml:1:40: server.workers: the environment variable UNSET_TOO is not set, and ${UNSET_TOO} gives no default',
      'c.yaml:2:15: log.level: expected "fatal", "error", "warn", "info", "debug" or "silent", got the value of "${LEVEL}"',
      'c.yaml:2:36: log.subject: expected ${NAME} or ${NAME:-default}; write $${ for a literal ${',
      'c.yaml:3:1: ["${KEY}"]: substitutions are made in values, not in keys',
    ],
  ],
  [
    'a variable of the wrong type',
    `
      server: { workers: "\${LEVEL}" }
    `,
    ['c.yaml:1:20: server.workers: expected "auto" or a whole number, got the value of "${LEVEL}"'],
  ],
  [
    'an empty variable where null would lift a check',
    `
      userPools:
        main:
          userPoolId: us-east-1_Abc
          clientIds: \${EMPTY}
    `,
    ['c.yaml:4:16: userPools.main.clientIds: expected a list, got ""'],
  ],
];

describe('a file that is broken as YAML or in its substitutions', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml, { environment: { LEVEL: 'loud', EMPTY: '' } })).toEqual(lines);
  });
});
