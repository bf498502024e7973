import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pagesIn = (folder: string, recursive = true): string[] =>
  readdirSync(join(ROOT, folder), { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

const pages = [...pagesIn('.', false), ...['bench', 'deploy', 'docs'].flatMap((folder) => pagesIn(folder))];

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function linksOf(markdown: string): string[] {
  // What stands in a block of code is no link.
  const prose = markdown.replace(/^(\s*)```[\s\S]*?^\1```$/gm, '');
  return [...prose.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
}

describe('links in the package', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  const isShipped = (path: string): boolean =>
    // npm takes these whatever `files` says.
    /^(package\.json|README[.\w]*)$/.test(path) || files.includes(path.split('/')[0] ?? '');
  // What only a checkout has, and whoever follows such a link wants to see the sources.
  const SOURCES = ['src', 'test', 'bench'];

  it.each(pages.filter(isShipped))('%s: lead to what is in it, or to sources', (page) => {
    for (const link of linksOf(readFileSync(join(ROOT, page), 'utf8'))) {
      const target = relative(ROOT, join(ROOT, dirname(page), link.split('#')[0] ?? ''));
      const found = target === '' || isShipped(target) || SOURCES.includes(target.split('/')[0] ?? '');
      expect(found, link).toBe(true);
    }
  });
});

describe('links between documents', () => {
  it.each(pages)('%s: lead somewhere', (page) => {
    for (const link of linksOf(readFileSync(join(ROOT, page), 'utf8'))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, 'utf8')), link).toContain(anchor);
    }
  });
});
