import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

const INDEX = 'docs/README.md';

/** One entry of docs/README.md. */
interface Entry {
  readonly title: string;
  /** From the root. */
  readonly path: string;
}

/** What docs/README.md lists, in its order. */
export function readingOrder(): Entry[] {
  const index = readFileSync(new URL(`../../${INDEX}`, import.meta.url), 'utf8');
  const items = index.match(/^\d+\. .*$/gm) ?? [];
  return items.flatMap((item) =>
    [...item.matchAll(/\[(.*?)\]\((.*?)\)/g)].map(([, title = '', link = '']) => ({
      title,
      path: posix.join('docs', link),
    })),
  );
}

/** The last line of a page: to the one before it, the list of all, and the next. */
export function footerOf(page: string): string {
  const entries = readingOrder();
  const at = entries.findIndex(({ path }) => path === page);
  const linkTo = (text: string, path: string): string =>
    `[${text}](${posix.relative(posix.dirname(page), path)}${path.endsWith('/') ? '/' : ''})`;
  const [before, after] = [entries[at - 1], entries[at + 1]];
  return [
    before && linkTo(`← ${before.title}`, before.path),
    linkTo('Documentation', INDEX),
    after && linkTo(`${after.title} →`, after.path),
  ]
    .filter((link) => link !== undefined)
    .join(' · ');
}

/** A page with this as its last line, in place of the one that it may have. */
export function withFooter(text: string, footer: string): string {
  const body = text.replace(/\n(\[← .*\]\(.*\) · )?\[Documentation\]\([^)]*\)( · \[.* →\]\(.*\))?\n*$/, '');
  return `${body.trimEnd()}\n\n${footer}\n`;
}
