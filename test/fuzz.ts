/**
 * Tries generated cases against other readers of them, round after round: the tests that `npm test` runs too, with other seeds and
 * ten times as many cases.
 *
 *   npm run fuzz -- [--minutes 10] [--seed 7] [--only token]
 *
 * Ends with 1 at the first case that fails, which it prints with the command that tries the same round again. Without a seed it
 * chooses one and says which.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Cases of a round, for each one that `npm test` runs. */
const TIMES = 10;

const root = fileURLToPath(new URL('../', import.meta.url));
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e6)) },
    only: { type: 'string', default: '' },
  },
});
const end = Date.now() + Number(values.minutes) * 60_000;
const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
  (path) => path.includes(values.only) && readFileSync(root + path, 'utf8').includes('generatedCases('),
);

for (let seed = Number(values.seed), first = true; first || Date.now() < end; seed += 1, first = false) {
  process.stdout.write(`seed ${seed}: ${files.length} files\n`);
  const child = spawn('vitest', ['run', ...files], {
    cwd: root,
    env: { ...process.env, SEED: String(seed), RUNS: String(TIMES) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    const again = `SEED=${seed} RUNS=${TIMES} npx vitest run ${files.join(' ')}`;
    process.stdout.write(`a case failed; the same round again, with all it says:\n${again}\n`);
    process.exit(1);
  }
}
process.stdout.write('no case failed\n');
