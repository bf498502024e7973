import { createHash } from 'node:crypto';
import type { ErrorEntry } from '../core/errors.ts';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:36rem;margin:12vh auto;padding:0 1.25rem}
h1{font-size:1.5rem;margin:0 0 .75rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.5rem 0;font-size:.875rem}
dt{opacity:.65}
dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,monospace}`;

/** For `style-src` of the page's Content-Security-Policy. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** The facts of a refusal as a small page, for a person with a browser. */
export function refusalPage(entry: ErrorEntry, code: string, requestId: string): string {
  const title = `${entry.status} ${escapeHtml(entry.message)}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${capitalize(escapeHtml(entry.description))}.</p>
<p>${escapeHtml(entry.remedy)}</p>
<dl>
<dt>Code</dt><dd>${escapeHtml(code)}</dd>
<dt>Request id</dt><dd>${escapeHtml(requestId)}</dd>
</dl>
</html>
`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
