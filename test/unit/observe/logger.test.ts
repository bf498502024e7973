import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLevel, ProcessLogger } from '../../../src/core/ports.ts';
import { describeError } from '../../../src/observe/format-line.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { drain, openPipe } from '../../support/pipe.ts';

const LOGGING_PROCESS = fileURLToPath(new URL('../../support/logging-process.ts', import.meta.url));

let folder: string;
let descriptor: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logger-test-'));
  descriptor = openSync(join(folder, 'log'), 'w');
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const loggerOf = (level: LogLevel): ProcessLogger => createLogger(level, { descriptor });

async function written(logger: ProcessLogger): Promise<Record<string, unknown>[]> {
  await logger.flush();
  const lines = readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a line of log', () => {
  it('has level, time and message, and what it is told, and nothing about this machine', async () => {
    const logger = loggerOf('info');
    logger.info({ route: 'posts', status: 200, code: undefined }, 'request');
    const [line] = await written(logger);
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      route: 'posts',
      status: 200,
      message: 'request',
    });
  });

  it('is one line, whatever is in it', async () => {
    const logger = loggerOf('info');
    const text = 'a\nb\r\nc\u2028d\u0000e"f\\g\u001b[31m';
    logger.info({ path: text, condition: '\ud800' }, text);
    const lines = await written(logger);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ path: text, message: text });
    expect(readFileSync(join(folder, 'log'), 'utf8')).not.toContain('\u001b');
  });

  const levels = ['debug', 'info', 'warn', 'error'] as const;
  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['fatal', []],
    ['silent', []],
  ] as const)(
    'is written at level %s for %j, also when the level is changed to it',
    async (level, expected) => {
      const other = createLogger(level === 'silent' ? 'debug' : 'silent', { descriptor });
      other.setLevel(level);
      for (const logger of [loggerOf(level), other]) {
        for (const at of levels) logger[at]({}, at);
        await logger.flush();
      }
      const lines = await written(other);
      expect(lines.map((line) => line['message'])).toEqual([...expected, ...expected]);
      expect(['info', 'warn', 'error'].filter((at) => other.enabled(at as 'info'))).toEqual(
        expected.filter((at) => at !== 'debug'),
      );
    },
  );
});

describe('several processes that log to one place', () => {
  it("never write into each other's lines, however slowly they are read", async () => {
    const { reader, writer } = openPipe(folder);
    const each = 300;
    const processes = [0, 1, 2].map(() =>
      spawn(process.execPath, [LOGGING_PROCESS, String(each)], { stdio: ['ignore', writer, 'inherit'] }),
    );
    let running = processes.length;
    for (const one of processes) one.once('exit', () => (running -= 1));
    closeSync(writer);

    let text = '';
    while (running > 0) {
      // So slowly that the pipe is always nearly full, and writes of more than it has room for are cut.
      text += drain(reader, 700);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (let rest = drain(reader); rest !== ''; rest = drain(reader)) text += rest;
    closeSync(reader);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { worker: number; status: number });
    for (const { pid } of processes) {
      const own = lines.filter(({ worker }) => worker === pid).map(({ status }) => status);
      expect(own).toEqual(Array.from({ length: each }, (_, i) => i));
    }
  });
});

describe('of an error', () => {
  class Revealing extends Error {
    override readonly name = 'Revealing';
    readonly code = 'E_REVEALING';
    readonly headers = { authorization: 'secret' };
    readonly config = { password: 'secret' };
  }

  it('only name, code, message and cause are logged', async () => {
    const logger = loggerOf('info');
    const cause = Object.assign(new RangeError('deeper'), { data: 'secret' });
    logger.error({ err: new Revealing('told', { cause }) }, 'failed');
    expect((await written(logger))[0]?.['err']).toEqual({
      name: 'Revealing',
      code: 'E_REVEALING',
      message: 'told',
      cause: { name: 'RangeError', message: 'deeper' },
    });
    expect(readFileSync(join(folder, 'log'), 'utf8')).not.toContain('secret');
  });

  it.each([
    ['a text', 'just this', { message: 'just this' }],
    ['nothing', null, { message: 'null' }],
    ['an object that is no error', { secret: 1 }, { message: '[object Object]' }],
    [
      'a code that is a number',
      Object.assign(new Error('x'), { code: 7 }),
      { name: 'Error', code: '7', message: 'x' },
    ],
    [
      'several attempts',
      new AggregateError([new Error('connect ECONNREFUSED ::1:80'), 'and this']),
      { name: 'AggregateError', message: 'connect ECONNREFUSED ::1:80; and this' },
    ],
    ['a cause that is no error', new Error('x', { cause: 'secret' }), { name: 'Error', message: 'x' }],
  ])('%s', (_, error, expected) => {
    expect(describeError(error)).toEqual(expected);
  });

  it('that is its own cause, an end is found', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(describeError(error)).match(/round/g)).toHaveLength(6);
  });
});
