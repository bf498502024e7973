/** Ends a load generator that cannot go on: the reason on standard error, exit code 1. */
export function giveUp(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
