import type { ConfigPath } from '../config-path.ts';
import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/**
 * Whoever can answer in place of the issuer can make tokens, so keys come over https. Endpoints of the credentials
 * service may be http on this machine (an emulator). In dev all may.
 */
export const plainHttp: Check = (draft, { dev }) => {
  if (dev) return [];
  const findings: Finding[] = [];
  const refuse = (url: string | null | undefined, path: ConfigPath, loopback: boolean): void => {
    if (!url?.startsWith('http://') || (loopback && isLoopback(url))) return;
    const where = loopback
      ? 'http is accepted on loopback addresses and in dev only'
      : 'http is accepted in dev only';
    findings.push({ path, message: `expected an https URL: ${where}` });
  };
  for (const [name, pool] of draft.userPools) {
    if (pool === null) continue;
    refuse(pool.issuer, ['userPools', name, 'issuer'], false);
    if ('url' in pool.keys) refuse(pool.keys.url, ['userPools', name, 'keys', 'url'], false);
  }
  for (const [name, pool] of draft.identityPools) {
    if (pool === null) continue;
    refuse(pool.endpoint, ['identityPools', name, 'endpoint'], true);
    refuse(pool.stsEndpoint, ['identityPools', name, 'stsEndpoint'], true);
  }
  for (const [name, upstream] of draft.upstreams) {
    refuse(upstream?.sign?.stsEndpoint, ['upstreams', name, 'sign', 'stsEndpoint'], true);
  }
  return findings;
};

export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
