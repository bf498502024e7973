import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogFields } from '../../../src/core/log-fields.ts';
import { formatLine } from '../../../src/observe/format-line.ts';

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

describe('a line of log', () => {
  it('has its members in order', () => {
    expect(
      formatLine('info', TIME, { requestId: 'r', status: 200, ms: 0.25, code: undefined }, 'request'),
    ).toBe(
      '{"level":"info","time":"2026-01-02T03:04:05.006Z","requestId":"r","status":200,"ms":0.25,"message":"request"}\n',
    );
  });

  it('tells each time', () => {
    const times = [TIME, TIME, TIME + 1, TIME].map(
      (time) => JSON.parse(formatLine('info', time, {}, '')) as { time: string },
    );
    expect(times.map(({ time }) => time.slice(-5))).toEqual(['.006Z', '.006Z', '.007Z', '.006Z']);
  });

  it('is JSON that says what it was told, whatever that is', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string()),
      fc.constant(null),
    );
    fc.assert(
      fc.property(
        fc.record({ path: value, subject: value, ms: value }),
        fc.string({ unit: 'binary' }),
        (fields, message) => {
          const line = formatLine('warn', TIME, fields as LogFields, message);
          const expected = { level: 'warn', time: new Date(TIME).toISOString(), ...fields, message };
          expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(expected)));
          expect(line).toMatch(/^[ -~]+\n$/);
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('leaves out what JSON has no word for', () => {
    expect(formatLine('info', TIME, { keys: () => 1, url: Symbol('x'), path: '/' }, 'm')).toContain(
      '06Z","path":"/"',
    );
  });
});
