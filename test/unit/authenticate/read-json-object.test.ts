import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonObject } from '../../../src/authenticate/read-json-object.ts';

const read = (text: string): unknown => readJsonObject(Buffer.from(text, 'utf8'));

describe('readJsonObject', () => {
  it('reads every object as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        expect(readJsonObject(Buffer.from(text, 'utf8'))).toEqual(JSON.parse(text));
        expect(read(JSON.stringify(object, null, '\t'))).toEqual(JSON.parse(text));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('refuses every object in which a name occurs twice, however deep', () => {
    const nested = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constant('{"a":1,"b":{},"a":[]}'),
        fc
          .tuple(fc.jsonValue(), tie('value'))
          .map(([value, inner]) => `[${JSON.stringify(value)}, ${inner}]`),
        fc.tuple(fc.string(), tie('value')).map(([name, inner]) => `{${JSON.stringify(name)} : ${inner}}`),
      ),
    })).value;
    fc.assert(
      fc.property(nested, (text) => {
        JSON.parse(String(text));
        expect(read(`{"x":${text}}`)).toBeNull();
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it.each([
    ['{}', {}],
    [' \n{ "a" : 1 }\t', { a: 1 }],
    ['{"a":{"a":{"a":1}}}', { a: { a: { a: 1 } } }],
    ['{"a":["a","a:","\\"a\\":"]}', { a: ['a', 'a:', '"a":'] }],
    ['{"a\\\\":"\\\\","b":":"}', { 'a\\': '\\', b: ':' }],
    ['{"":""}', { '': '' }],
  ])('reads %s', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    '',
    'null',
    'true',
    '7',
    '"{}"',
    '[]',
    '[{}]',
    '{',
    '{}{}',
    '{a:1}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":NaN}',
    '{"a":01}',
    '{"a":1}//',
    '\ufeff{}',
    '{"a":"\n"}',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '{"__proto__":1,"__proto__":1}',
    '{"x":{"a":1,"a":1}}',
    '{"x":[[{"a":1,"a":1}]]}',
  ])('refuses %j', (text) => {
    expect(read(text)).toBeNull();
  });

  it.each([
    ['a byte that begins nothing', [0x80]],
    ['half a character', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
  ])('refuses %s', (_, bytes) => {
    expect(
      readJsonObject(Buffer.from([...Buffer.from('{"a":"'), ...bytes, ...Buffer.from('"}')])),
    ).toBeNull();
  });

  it('gives names on the prototype no meaning', () => {
    const object = read('{"__proto__":{"alg":"RS256"}}') as Record<string, unknown>;
    expect(object['alg']).toBeUndefined();
    expect(Object.keys(object)).toEqual(['__proto__']);
  });

  it('goes as deep as the text does', () => {
    expect(read(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).not.toBeNull();
    expect(read(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)).not.toBeNull();
  });
});
