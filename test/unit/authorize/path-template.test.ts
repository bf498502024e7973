import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../../src/authorize/path-template.ts';
import { parseTemplate as parseConfigured } from '../../../src/config/path-template.ts';
import { canonicalizePath } from '../../../src/listen/canonical-path.ts';

const fixed = (text: string) => ({ kind: 'static', text });

describe('parseTemplate', () => {
  it.each<readonly [string, readonly object[]]>([
    ['/', [fixed('')]],
    ['/posts', [fixed('posts')]],
    ['/posts/', [fixed('posts'), fixed('')]],
    ['/posts/{id}', [fixed('posts'), { kind: 'parameter', name: 'id' }]],
    ['/{a}/b/{c+}', [{ kind: 'parameter', name: 'a' }, fixed('b'), { kind: 'greedy', name: 'c' }]],
    ['/{a.b-c_d}', [{ kind: 'parameter', name: 'a.b-c_d' }]],
    ['/%61dmin', [fixed('admin')]],
    ['/%7e', [fixed('~')]],
    ['/a%2fb', [fixed('a%2Fb')]],
    ['/a%20b', [fixed('a%20b')]],
    ['/a b', [fixed('a%20b')]],
    ['/café', [fixed('caf%C3%A9')]],
    ['/"x"', [fixed('%22x%22')]],
    ["/!$&'()*+,;=:@", [fixed("!$&'()*+,;=:@")]],
  ])('%s', (template, expected) => {
    expect(parseTemplate(template)).toEqual(expected);
  });

  it.each(['/posts', '/%61dmin/%7e', '/a b/"c"', '/café/ユーザー/😀', "/!$&'()*+,=:@", '/^|`<>[]'])(
    'spells %s as requests for it are spelled, and as the configuration checks it',
    (template) => {
      const spelled = (segments: readonly object[]): string =>
        `/${segments.map((segment) => ('text' in segment ? segment.text : '')).join('/')}`;
      const raw = Buffer.from(template, 'utf8').toString('latin1').replaceAll(' ', '%20');
      expect(spelled(parseTemplate(template))).toBe(canonicalizePath(raw)?.path);
      expect(spelled(parseConfigured(template, []).segments)).toBe(canonicalizePath(raw)?.path);
    },
  );
});
