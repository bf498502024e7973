import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type ConfigPath, isWithin } from './config-path.ts';
import { checkCrossReferences } from './cross-references/checks.ts';
import { diagnose } from './diagnose.ts';
import { readDraft } from './draft.ts';
import type { Source } from './find-source.ts';
import { type Fingerprints, fingerprint } from './fingerprint.ts';
import { type Finding, locateFindings, type Problem, sortProblems } from './problem.ts';
import { readWritten } from './read-written.ts';
import { resolveFiles } from './resolve-files.ts';
import { type Config, configSchema } from './schema/config.ts';
import type { Environment } from './substitute.ts';

export interface LoadOptions {
  readonly environment: Environment;
  /** Accepts http issuers. Never in production. */
  readonly dev?: boolean;
  /** Looks for what is worth a warning in a configuration that can be used. */
  readonly review?: (config: Config) => readonly Finding[];
}

export type LoadResult = Loaded | NotLoaded;

export interface Loaded {
  readonly ok: true;
  readonly config: Config;
  /** What the review has found, in the order of the file. */
  readonly warnings: readonly Problem[];
  readonly source: Source;
  /** Every file that was read, or is to be, as it was just before: what to watch. */
  readonly files: Fingerprints;
}

interface NotLoaded {
  readonly ok: false;
  /** All that is wrong, in the order of the file. */
  readonly problems: readonly Problem[];
  readonly source: Source;
  readonly files: Fingerprints;
}

/**
 * Reads, checks and completes a configuration. Every mistake in it is reported, none is thrown: what the YAML, the
 * substitutions, the schema and the cross-references say comes together, and nothing is said twice.
 */
export function loadConfig(source: Source, options: LoadOptions): LoadResult {
  const written = readWritten(source, options.environment);
  const files = new Map<string, string | null>(source.kind === 'file' ? [[source.path, written.digest]] : []);
  if (written.broken) return { ok: false, problems: sortProblems(written.problems), source, files };

  const { telling } = written;
  const resolved = resolveFiles(written.value, folderOf(source));
  for (const { path, file } of resolved.files) {
    // A folder that cannot be watched is named in the log: one that is there is no secret.
    if (telling.isDoubtful(path, file) && !existsSync(dirname(file))) continue;
    files.set(file, fingerprint(file));
  }

  const root = resolved.value;
  const verdict = z.safeParse(configSchema, root);
  const schemaFindings = verdict.success ? [] : diagnose(configSchema, root, telling);
  const context = { dev: options.dev ?? false, written: root, telling };
  const referenceFindings = checkCrossReferences(readDraft(root), context);
  const findings = [
    ...written.findings,
    ...withoutConsequences([...schemaFindings, ...referenceFindings], written.spoiled),
  ];
  const problems = [...written.problems, ...locateFindings(findings, written.origins.locate)];
  if (verdict.success && problems.length === 0) {
    const reviewed = options.review?.(verdict.data) ?? [];
    const warnings = sortProblems(locateFindings(reviewed, written.origins.locate));
    return { ok: true, config: verdict.data, warnings, source, files };
  }
  return { ok: false, problems: sortProblems(problems), source, files };
}

/** Where relative paths start. */
function folderOf(source: Source): string {
  if (source.kind === 'file') return dirname(source.path);
  return source.kind === 'text' ? source.folder : '/';
}

/** Without the findings that only follow from what has been said about the same place. */
function withoutConsequences(findings: readonly Finding[], spoiled: readonly ConfigPath[]): Finding[] {
  return findings.filter((finding) => !spoiled.some((path) => isWithin(finding.path, path)));
}
