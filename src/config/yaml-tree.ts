import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { type ConfigPath, dotted } from './config-path.ts';
import type { Origins } from './origins.ts';
import type { Origin, Problem } from './problem.ts';

/** The contents of a YAML document as plain values. */
export interface YamlTree {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Paths whose own text is at fault: what later passes say about them is only a consequence. */
  readonly spoiled: readonly ConfigPath[];
  /** Whether the text has no certain structure: what later passes would say about it is noise. */
  readonly broken: boolean;
}

/** Aliases followed in one file; more is a mistake, or an attempt to fill the memory. */
const MOST_ALIASES = 1000;

/**
 * Turns the nodes of a document into values, noting in `origins` where each was written. What YAML lets pass but nobody
 * can mean is a problem: a key twice, a key without a value (which YAML takes for null), an alias within itself.
 * @param at the place of an offset in the text
 */
export function readYamlTree(
  document: Document.Parsed,
  at: (offset: number) => Origin,
  origins: Origins,
): YamlTree {
  const problems: Problem[] = [];
  const spoiled: ConfigPath[] = [];
  const followed: Node[] = [];
  let aliases = 0;
  let broken = false;

  const complain = (node: Node | null, path: ConfigPath, message: string): null => {
    problems.push({ origin: at(startOf(node)), where: dotted(path), message });
    spoiled.push(path);
    return null;
  };

  const readNode = (node: Node | null, path: ConfigPath, key?: Origin): unknown => {
    origins.set(path, at(startOf(node)), key);
    if (isAlias(node)) return followAlias(node, path, key);
    if (isMap(node)) return readMapping(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => readNode(item as Node, [...path, index]));
    if (!isScalar(node)) return null;
    if (node.value !== null || node.source !== '') return node.value;
    return complain(
      node,
      path,
      'has no value: give it one, write null if that is meant, or take the key out',
    );
  };

  const readMapping = (pairs: readonly Pair[], path: ConfigPath): Record<string, unknown> => {
    const mapping: Record<string, unknown> = {};
    for (const pair of pairs) {
      const key = pair.key as Node;
      if (!isScalar(key)) {
        complain(key, path, 'expected a plain name as key');
        continue;
      }
      const name = String(key.source ?? key.value);
      const here = [...path, name];
      if (Object.hasOwn(mapping, name)) complain(key, here, 'this key is there twice');
      else if (name === '__proto__') complain(key, here, 'this name is not allowed');
      else if (name.includes('${')) complain(key, here, 'substitutions are made in values, not in keys');
      else mapping[name] = readNode(pair.value as Node | null, here, at(startOf(key)));
    }
    return mapping;
  };

  const followAlias = (alias: Alias, path: ConfigPath, key?: Origin): unknown => {
    aliases += 1;
    const target = alias.resolve(document);
    if (target === undefined) return complain(alias, path, 'there is no anchor of this name');
    if (followed.includes(target)) {
      broken = true;
      return complain(alias, path, `*${alias.source} stands inside what it refers to`);
    }
    if (aliases > MOST_ALIASES) {
      const first = !broken;
      broken = true;
      return first ? complain(alias, path, `there are more than ${MOST_ALIASES} aliases in this file`) : null;
    }
    followed.push(target);
    const value = readNode(target, path, key);
    followed.pop();
    return value;
  };

  const value = readNode(document.contents, []);
  return { value, problems, spoiled, broken };
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
