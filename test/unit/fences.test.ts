import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rules = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));

/** One import that no fence may let through, and the fence that must stop it. */
const PLANTED: readonly (readonly [file: string, line: string, fence: string])[] = [
  ['src/core/a.ts', "import '../listen/peer.ts';", 'core-imports-nothing'],
  ['src/core/b.ts', "import 'jose';", 'core-imports-nothing'],
  ['src/authenticate/a.ts', "import '../authorize/decide.ts';", 'authenticate-keeps-to-itself'],
  ['src/authorize/a.ts', "import '../send/pools.ts';", 'authorize-keeps-to-itself'],
  ['src/limit/a.ts', "import '../authorize/decide.ts';", 'limit-keeps-to-itself'],
  ['src/prepare/a.ts', "import '../sign/sign-stage.ts';", 'prepare-keeps-to-itself'],
  ['src/sign/a.ts', "import '../authenticate/verify-token.ts';", 'sign-keeps-to-itself'],
  ['src/send/a.ts', "import '../prepare/balancer.ts';", 'send-keeps-to-itself'],
  ['src/send/http/a.ts', "import '../pools.ts';", 'the-http-client-knows-nothing-above-it'],
  [
    'src/send/b.ts',
    "import { configSchema } from '../config/schema/config.ts';\nconfigSchema;",
    'rooms-take-types-from-config',
  ],
  ['src/listen/a.ts', "import '../observe/metrics.ts';", 'listen-and-observe-keep-to-themselves'],
  ['src/config/a.ts', "import '../authorize/decide.ts';", 'config-knows-no-room'],
  ['src/authorize/b.ts', "import '../dev/sample-upstream.ts';", 'dev-stays-out'],
  ['src/core/c.ts', "import './planted-c.ts';", 'no-circles'],
  ['src/listen/b.ts', "import 'vitest';", 'production-needs-no-development-packages'],
  ['src/listen/c.ts', "import 'express';", 'express-answers-for-us'],
  ['src/send/c.ts', "import 'helmet';", 'helmet-answers-for-us'],
  ['src/listen/d.ts', "import 'jose';", 'jose-verifies'],
  ['src/prepare/b.ts', "import 'lru-cache';", 'lru-cache-remembers'],
  ['src/authorize/d.ts', "await import('ioredis');", 'redis-counts'],
  ['src/send/e.ts', "await import('rate-limiter-flexible');", 'redis-counts'],
  ['src/limit/b.ts', "import 'ioredis';", 'redis-is-loaded-on-demand'],
  ['src/limit/c.ts', "import 'rate-limiter-flexible';", 'redis-is-loaded-on-demand'],
  ['src/observe/a.ts', "import '@opentelemetry/api';", 'opentelemetry-traces'],
  ['src/core/d.ts', "await import('@opentelemetry/sdk-trace');", 'opentelemetry-traces'],
  ['src/observe/b.ts', "import './tracing/start-tracing.ts';", 'tracing-is-loaded-on-demand'],
  ['src/listen/e.ts', "import 'http-proxy-middleware';", 'forwarding-libraries-send'],
  ['src/listen/f.ts', "import 'prom-client';", 'prom-client-observes'],
  ['src/authorize/c.ts', "import 'zod';", 'yaml-configures'],
  ['src/listen/g.ts', "import 'commander';", 'commander-commands'],
];

/** Modules of the project when this was written; a cruiser that sees fewer sees nothing. */
const LEAST_MODULES = 100;

describe('the fences between the rooms', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fences-'));
  let kept: ICruiseResult;
  let broken: ICruiseResult;

  beforeAll(async () => {
    kept = await look(root);
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    cpSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [file, line] of PLANTED) {
      mkdirSync(dirname(join(folder, planted(file))), { recursive: true });
      writeFileSync(join(folder, planted(file)), `${line}\n`);
    }
    broken = await look(folder);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('hold', () => {
    expect(violations(kept)).toEqual([]);
    expect(kept.summary.totalCruised).toBeGreaterThan(LEAST_MODULES);
  });

  it.each(PLANTED)('stop %s: %s', (file, _line, fence) => {
    expect(violations(broken)).toContainEqual({ fence, file: planted(file) });
  });
});

function planted(file: string): string {
  return file.replace(/([^/]+)$/, 'planted-$1');
}

async function look(baseDir: string): Promise<ICruiseResult> {
  const { output } = await cruise(['src'], {
    ...rules.options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: rules.forbidden },
    tsConfig: { fileName: join(baseDir, 'tsconfig.json') },
  });
  return output as ICruiseResult;
}

function violations(result: ICruiseResult): { fence: string; file: string }[] {
  return result.summary.violations.map(({ rule, from }) => ({ fence: rule.name, file: from }));
}
