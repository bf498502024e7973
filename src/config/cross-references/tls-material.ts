import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ConfigPath } from '../config-path.ts';
import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** Certificates and keys must be readable, and belong together, before a client meets them. */
export const tlsMaterial: Check = (draft) => {
  const findings: Finding[] = [];
  const tls = draft.server?.tls;
  if (tls) findings.push(...pairFindings(tls.cert, tls.key, ['server', 'tls']));
  for (const [name, upstream] of draft.upstreams) {
    if (!upstream?.tls) continue;
    const path = ['upstreams', name, 'tls'];
    const { ca, cert, key } = upstream.tls;
    if ([upstream.url, ...(upstream.urls ?? [])].every((url) => !url?.startsWith('https://'))) {
      findings.push({ path, message: 'has no effect: the upstream is not reached by https' });
    }
    if (ca !== undefined) findings.push(...authorityFindings(ca, [...path, 'ca']));
    if (cert !== undefined && key !== undefined) findings.push(...pairFindings(cert, key, path));
    else if (cert !== undefined || key !== undefined) {
      const missing = cert === undefined ? 'cert' : 'key';
      const message = 'is missing: a client certificate needs both cert and key';
      findings.push({ path: [...path, missing], message, at: 'parent' });
    }
  }
  return findings;
};

function pairFindings(cert: string, key: string, path: ConfigPath): Finding[] {
  const findings: Finding[] = [];
  if (!loads({ cert })) {
    findings.push({ path: [...path, 'cert'], message: 'expected a certificate chain in PEM' });
  }
  if (!loads({ key })) {
    findings.push({ path: [...path, 'key'], message: 'expected a private key in PEM, without a passphrase' });
  }
  if (findings.length === 0 && !loads({ cert, key })) {
    findings.push({ path, message: 'the certificate and the key do not belong together' });
  }
  return findings;
}

function loads(material: { cert?: string; key?: string }): boolean {
  try {
    createSecureContext(material);
    return true;
  } catch {
    return false;
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** node:tls ignores an authority it cannot read, and would then trust nobody: so they are read one by one here. */
function authorityFindings(ca: string, path: ConfigPath): Finding[] {
  try {
    const blocks = ca.match(CERTIFICATE) ?? [];
    for (const block of blocks) new X509Certificate(block);
    if (blocks.length > 0) return [];
  } catch {
    // said below: what OpenSSL reports helps nobody
  }
  return [{ path, message: 'expected certificates in PEM' }];
}
