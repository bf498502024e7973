import { expect, it } from 'vitest';
import { fillTemplate } from '../../../bench/contenders/template.ts';

it('fills in what the file asks for', () => {
  const filled = fillTemplate('./upstream.nginx.conf', { FOLDER: '/f', USER: '', PORT: 8123, ANSWER: '{}' });
  expect(filled).toContain('listen 127.0.0.1:8123 ');
  expect(filled).toContain("return 200 '{}';");
  expect(filled).not.toContain('${');
});

it('refuses a name without a value, and a value without a place', () => {
  const values = { FOLDER: '/f', USER: '', PORT: 8123, ANSWER: '{}' };
  expect(() => fillTemplate('./upstream.nginx.conf', { FOLDER: '/f' })).toThrow('no value for USER');
  expect(() => fillTemplate('./upstream.nginx.conf', { ...values, COLOUR: 'red' })).toThrow(
    'no place for COLOUR',
  );
});
