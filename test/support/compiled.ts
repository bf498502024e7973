import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairsOf, parseDockerfile, textsOf } from './dockerfile.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** The program as it is shipped: compiled, and with the options that the image starts Node with. */
export interface CompiledProgram {
  readonly entry: string;
  readonly environment: Readonly<Record<string, string>>;
  remove(): void;
}

export function compileProgram(): CompiledProgram {
  const folder = mkdtempSync(join(tmpdir(), 'compiled-'));
  const compiler = join(CHECKOUT, 'node_modules/.bin/tsc');
  execFileSync(compiler, ['-p', join(CHECKOUT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]);
  // The page of the admin port is shipped as it is written, as `npm run build` does.
  cpSync(join(CHECKOUT, 'src/observe/page'), join(folder, 'dist/observe/page'), { recursive: true });
  for (const name of ['package.json', 'node_modules']) symlinkSync(join(CHECKOUT, name), join(folder, name));
  const image = parseDockerfile(readFileSync(join(CHECKOUT, 'Dockerfile'), 'utf8')).at(-1);
  const { NODE_OPTIONS = '' } = image === undefined ? {} : pairsOf(textsOf(image, 'ENV'));
  return {
    entry: join(folder, 'dist/main.js'),
    environment: { NODE_OPTIONS },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
