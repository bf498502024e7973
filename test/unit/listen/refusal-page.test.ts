import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../src/core/errors.ts';
import { refusalPage, STYLE_HASH } from '../../../src/listen/refusal-page.ts';

describe('refusalPage', () => {
  it('tells what the JSON tells, and what to do', () => {
    const page = refusalPage(ERRORS.AUTHZ_GROUP_REQUIRED, 'AUTHZ_GROUP_REQUIRED', 'id-1');
    expect(page).toContain('<title>403 Forbidden</title>');
    expect(page).toContain('<h1>403 Forbidden</h1>');
    expect(page).toContain('<p>The caller is not in a group that this route requires.</p>');
    expect(page).toContain('<dt>Code</dt><dd>AUTHZ_GROUP_REQUIRED</dd>');
    expect(page).toContain('<dt>Request id</dt><dd>id-1</dd>');
    expect(page.startsWith('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">')).toBe(true);
  });

  it('escapes whatever it is given', () => {
    const hostile = `<script>alert("1")&'</script>`;
    const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#38;&#39;&#60;/script&#62;';
    const entry = {
      status: 400,
      message: hostile,
      description: hostile,
      remedy: hostile,
      level: 'info',
    } as const;
    const page = refusalPage(entry, hostile, hostile);
    expect(page).not.toContain('<script>');
    expect(page.split(escaped)).toHaveLength(7);
  });

  it('has the one style that its policy allows, and no script', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const page = refusalPage(ERRORS[code], code, 'id');
      const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? '';
      expect(STYLE_HASH).toBe(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
      expect(page).not.toMatch(/<script|style="|\son\w+=|https?:|<img|<link/);
    }
  });
});
