import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SOAK = fileURLToPath(new URL('../../bench/soak.ts', import.meta.url));

/** Too short to tell whether memory is flat, and so whatever its exit code; the answers are judged all the same. */
it('a few seconds of mixed traffic: nothing wrong, nothing lost', { timeout: 120_000 }, async () => {
  const report = await new Promise<string>((resolve) => {
    execFile(process.execPath, [SOAK, '--minutes', '0.05', '--rate', '200'], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
  expect(report).toMatch(/^600 requests in .* 0 wrong, 0 lost$/m);
  expect(report).not.toMatch(/the upstream saw|the proxy ended|at rest/);
});
