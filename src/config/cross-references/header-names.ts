import { SHADOW_HEADER } from '../../core/enforcement.ts';
import { isMapping, valueAt } from '../config-path.ts';
import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** Headers that frame, route or authenticate a message, and those the proxy itself rebuilds. */
export const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  SHADOW_HEADER,
]);

/** Identity headers may not take the place of headers that mean something else. */
export const identityHeaders: Check = (draft, { written }) => {
  if (draft.identity === null) return [];
  const findings: Finding[] = [];
  const { prefix } = draft.identity;
  const swallowed = [...RESERVED, 'content-type', 'cookie', 'accept'].find((name) => name.startsWith(prefix));
  if (swallowed !== undefined) {
    findings.push({
      path: ['identity', 'prefix'],
      message: `would remove the header ${swallowed} from every request`,
    });
  }
  const headers = valueAt(written, ['identity', 'headers']);
  const seen = new Set<string>();
  for (const name of isMapping(headers) ? Object.keys(headers) : []) {
    const path = ['identity', 'headers', name];
    const lower = name.toLowerCase();
    if (RESERVED.has(lower)) {
      findings.push({ path, message: `${lower} cannot carry a claim: it means something else`, at: 'key' });
    }
    if (seen.has(lower)) {
      findings.push({ path, message: 'this header is there twice: case makes no difference', at: 'key' });
    }
    seen.add(lower);
  }
  return findings;
};

/** A token source named twice would find every token twice, and two tokens are refused. */
export const tokenSourcesOnce: Check = (draft) => {
  const seen = new Set<string>();
  return (draft.tokenSources ?? []).flatMap((source, index) => {
    const name = JSON.stringify(source);
    const path = ['tokenSources', index];
    if (seen.has(name)) return [{ path, message: 'this source is there twice' }];
    seen.add(name);
    if (typeof source === 'string' || !('header' in source) || !RESERVED.has(source.header)) return [];
    const hint = source.header === 'authorization' ? ': write authorization, without header' : '';
    return [{ path: [...path, 'header'], message: `${source.header} cannot be a source of its own${hint}` }];
  });
};
