import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../support/command-line.ts';

describe('the command line', () => {
  it.each([
    [['--version'], '1.2.3\n'],
    [['-V'], '1.2.3\n'],
  ])('%j prints the version', async (args, out) => {
    expect(await runCommandLine(args)).toEqual({ code: 0, out, err: '' });
  });

  it.each([[['--help']], [['help']], [['check', '--help']], [['help', 'init']]])(
    '%j explains itself and is fine',
    async (args) => {
      const { code, out, err } = await runCommandLine(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^Usage: cognito-auth-proxy/);
    },
  );

  it.each([
    [['--nonsense'], "error: unknown option '--nonsense'"],
    [['chekc'], 'error: unknown command "chekc", did you mean "check"?'],
    [['proxy.yaml'], 'error: unknown command "proxy.yaml"; --help lists them'],
    [['check', '--confg', 'x'], "error: unknown option '--confg'\n(Did you mean --config?)"],
    [['check', '--config'], "error: option '-c, --config <file>' argument missing"],
    [['check', 'x', 'y'], "error: too many arguments for 'check'. Expected 0 arguments but got 2: x, y."],
  ])('%j is bad usage', async (args, err) => {
    expect(await runCommandLine(args)).toEqual({ code: 2, out: '', err: `${err}\n` });
  });

  it('tells who has npm swallow an option how to hand it on', async () => {
    const environment = { npm_lifecycle_event: 'start' };
    expect(await runCommandLine(['dev', 'x.yaml'], { environment })).toEqual({
      code: 2,
      out: '',
      err: [
        "error: too many arguments for 'dev'. Expected 0 arguments but got 1: x.yaml.",
        'npm hands on what stands after --: npm run start -- --config FILE',
        '',
      ].join('\n'),
    });
  });
});
