import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { runTool } from './debian-tools.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url));

/** The objects that `kubectl kustomize` makes of a folder below deploy/kubernetes. */
export function buildKustomization(folder: string): unknown[] {
  if (readsLabels()) return build(join(FOLDER, folder));
  const scratch = mkdtempSync(join(tmpdir(), 'kustomize-test-'));
  try {
    cpSync(FOLDER, scratch, { recursive: true });
    for (const name of readdirSync(scratch, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('kustomization.yaml')) spellForOldKubectl(join(scratch, name));
    }
    return build(join(scratch, folder));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function build(folder: string): unknown[] {
  return readObjects(runTool('kubectl', ['kustomize', folder]));
}

/** The objects of a stream of YAML documents. */
export function readObjects(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** Debian 12 has kubectl 1.20, whose kustomize is of 2019; `labels` came with kubectl 1.22. */
function readsLabels(): boolean {
  const output = runTool('kubectl', ['version', '--client', '-o', 'json']);
  const { clientVersion } = JSON.parse(output) as { clientVersion: { major: string; minor: string } };
  return Number(clientVersion.major) > 1 || Number.parseInt(clientVersion.minor, 10) >= 22;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
  readonly patches?: readonly { readonly path: string }[];
}

/** The same in the words of that time, which today's kubectl warns of. */
function spellForOldKubectl(file: string): void {
  const { resources, labels, patches, ...rest } = parse(readFileSync(file, 'utf8')) as Kustomization;
  const isFile = (name: string): boolean => name.endsWith('.yaml');
  const old = {
    ...rest,
    bases: resources.filter((name) => !isFile(name)),
    resources: resources.filter(isFile),
    commonLabels: Object.assign({}, ...(labels ?? []).map(({ pairs }) => pairs)),
    patchesStrategicMerge: (patches ?? []).map(({ path }) => path),
  };
  writeFileSync(file, stringify(old));
}
