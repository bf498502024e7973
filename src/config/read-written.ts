import { readFileSync } from 'node:fs';
import type { ConfigPath } from './config-path.ts';
import { overlayEnvironment, readEnvironment } from './environment.ts';
import { describeFileError } from './file-error.ts';
import { describeSource, type Source } from './find-source.ts';
import { fingerprint } from './fingerprint.ts';
import { createOrigins, type Origins } from './origins.ts';
import { parseYaml } from './parse-yaml.ts';
import type { Finding, Problem } from './problem.ts';
import { configSchema } from './schema/config.ts';
import { accepts, schemasAt } from './schema-tree.ts';
import { type Environment, substitute } from './substitute.ts';
import { createTelling, TELL_WRITTEN, type Telling } from './telling.ts';
import { findWrittenSecrets } from './written-secrets.ts';

/** A source as plain values, before the schema has seen it. */
export interface Written {
  readonly value: unknown;
  readonly origins: Origins;
  readonly problems: readonly Problem[];
  readonly findings: readonly Finding[];
  /** Paths about which enough has been said. */
  readonly spoiled: readonly ConfigPath[];
  readonly broken: boolean;
  /** What messages about it may repeat. */
  readonly telling: Telling;
  readonly digest: string | null;
}

/** Parses, substitutes and lays the environment over: the passes that come before the schema. */
export function readWritten(source: Source, environment: Environment): Written {
  if (source.kind === 'environment') {
    const origins = createOrigins();
    const { value, findings } = readEnvironment(environment, origins);
    const spoiled = findings.map((finding) => finding.path);
    const overlaid = overlayEnvironment(value, environment, origins);
    return {
      value: overlaid,
      origins,
      problems: [],
      findings,
      spoiled,
      broken: false,
      // Its variables have names of ours and take no secrets.
      telling: TELL_WRITTEN,
      digest: null,
    };
  }
  if (source.kind === 'text') return readText(source.text, source.name, environment, null);
  const digest = fingerprint(source.path);
  try {
    return readText(readFileSync(source.path, 'utf8'), describeSource(source), environment, digest);
  } catch (error) {
    const message = `cannot be read: ${describeFileError(error)}`;
    const problems = [{ origin: { file: describeSource(source) }, where: '', message }];
    const origins = createOrigins();
    return {
      value: null,
      origins,
      problems,
      findings: [],
      spoiled: [],
      broken: true,
      telling: TELL_WRITTEN,
      digest,
    };
  }
}

function readText(text: string, name: string, environment: Environment, digest: string | null): Written {
  const parsed = parseYaml(text, name);
  const substituted = substitute(parsed.value, environment, textWanted);
  const findings = [...substituted.findings, ...findWrittenSecrets(parsed.value)];
  return {
    value: overlayEnvironment(substituted.value, environment, parsed.origins),
    origins: parsed.origins,
    problems: parsed.problems,
    findings,
    spoiled: [...parsed.spoiled, ...findings.map((finding) => finding.path)],
    broken: parsed.broken,
    telling: createTelling(substituted.filled),
    digest,
  };
}

/** Whether the schema refuses the typed value of a substitution where it would accept the text. */
function textWanted(path: ConfigPath, typed: unknown, text: string): boolean {
  const schemas = schemasAt(configSchema, path);
  return !schemas.some((schema) => accepts(schema, typed)) && schemas.some((schema) => accepts(schema, text));
}
