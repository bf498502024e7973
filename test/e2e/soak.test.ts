import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SOAK = fileURLToPath(new URL('../../bench/soak.ts', import.meta.url));

it('a few seconds of mixed traffic: nothing wrong, nothing lost', { timeout: 120_000 }, async () => {
  const [failure, report] = await new Promise<[Error | null, string]>((resolve) => {
    execFile(process.execPath, [SOAK, '--minutes', '0.05', '--rate', '200'], (error, stdout, stderr) =>
      resolve([error, stdout + stderr]),
    );
  });
  expect(report).toMatch(/^600 requests in .* 0 wrong, 0 lost$/m);
  expect(report).toMatch(/^well: nothing wrong, nothing lost, too short to tell whether all is flat$/m);
  expect(failure).toBeNull();
});
