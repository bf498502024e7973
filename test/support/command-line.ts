import { runProgram } from '../../src/cli/program.ts';
import type { Environment } from '../../src/config/substitute.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, as the entry of the program would. */
export async function runCommandLine(
  args: readonly string[],
  {
    folder = '/',
    environment = {},
    name = 'cognito-auth-proxy',
  }: { folder?: string; environment?: Environment; name?: string } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runProgram(
    args,
    {
      name,
      environment,
      folder,
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      signal: new AbortController().signal,
      onHangup: () => undefined,
    },
    '1.2.3',
  );
  return { code, out, err };
}
