/** A recipe of docs/recipes as it stands there. */
export interface Recipe {
  readonly title: string;
  /** The configuration it shows; undefined where it shows none. */
  readonly shown: string | undefined;
  /** The command that starts the stack, with its environment; undefined where there is none. */
  readonly start:
    | { readonly environment: Readonly<Record<string, string>>; readonly config: string }
    | undefined;
  readonly steps: readonly Step[];
}

/** One command, and what the comment above it says of it. */
export interface Step {
  readonly command: string;
  readonly expected: Expected;
}

/** An answer's status and code, or a part of what is printed; null where nothing is said but that it works. */
type Expected = { readonly status: number; readonly code: string | undefined } | string | null;

/** Reads every `sh` block: the first may start the stack, the others are commands with a comment above each. */
export function readRecipe(markdown: string): Recipe {
  const [, title = ''] = /^# (.*)$/m.exec(markdown) ?? [];
  const [shown] = blocksOf(markdown, 'yaml');
  const [first = '', ...others] = blocksOf(markdown, 'sh');
  const [, variables = '', config] = /^((?:\w+=\S+ )*)npm start -- --config (\S+)\n$/.exec(first) ?? [];
  const pairs = [...variables.matchAll(/(\w+)=(\S+)/g)];
  const environment = Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
  return {
    title,
    shown,
    start: config === undefined ? undefined : { environment, config },
    steps: (config === undefined ? [first, ...others] : others).flatMap(readSteps),
  };
}

function blocksOf(markdown: string, language: string): string[] {
  const fences = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...fences].map(([, block = '']) => block);
}

function readSteps(block: string): Step[] {
  const steps: { lines: string[]; expected: Expected }[] = [];
  for (const line of block.trimEnd().split('\n')) {
    if (line.startsWith('# ')) steps.push({ lines: [], expected: readExpected(line.slice(2)) });
    else {
      if (steps.length === 0) steps.push({ lines: [], expected: null });
      steps.at(-1)?.lines.push(line);
    }
  }
  return steps.map(({ lines, expected }) => ({ command: lines.join('\n'), expected }));
}

/** What stands before the last colon that is followed by an explanation. */
function readExpected(comment: string): Expected {
  const [, status, code] = /^(\d{3})(?: ([A-Z_]+))?: /.exec(comment) ?? [];
  if (status !== undefined) return { status: Number(status), code };
  return comment.slice(0, comment.lastIndexOf(': '));
}
