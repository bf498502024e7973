import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** What a client is to trust. */
  readonly cert: string;
  /**
   * Issues a certificate.
   * @param names host names and IPv4 addresses that it is good for; the first is also its common name
   * @param validity days before and after today. Default: from yesterday to tomorrow
   */
  issue(names: readonly string[], validity?: readonly [notBefore: number, notAfter: number]): Certificate;
}

/** Makes an authority of its own, with nothing on disk: X.509 version 3, P-256 (RFC 5280, RFC 5480). */
export function createCertificateAuthority(commonName = 'Test authority'): CertificateAuthority {
  const { publicKey, privateKey } = makeKeys();
  const make = (
    subject: string,
    subjectKey: KeyObject,
    days: readonly [number, number],
    extension: Buffer,
  ): string =>
    toPem(certificate({ issuer: commonName, subject, subjectKey, days, extension, signer: privateKey }));

  return {
    cert: make(commonName, publicKey, [-1, 1], BASIC_CONSTRAINTS_CA),
    issue(names, days = [-1, 1]) {
      const keys = makeKeys();
      return {
        cert: make(names[0] ?? '', keys.publicKey, days, subjectAltNames(names)),
        key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      };
    },
  };
}

function makeKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

interface CertificateParts {
  readonly issuer: string;
  readonly subject: string;
  readonly subjectKey: KeyObject;
  readonly days: readonly [number, number];
  readonly extension: Buffer;
  readonly signer: KeyObject;
}

function certificate(parts: CertificateParts): Buffer {
  const [from, to] = parts.days.map((days) => new Date(Date.now() + days * 86_400_000));
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    name(parts.issuer),
    sequence(time(from as Date), time(to as Date)),
    name(parts.subject),
    parts.subjectKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(parts.extension)),
  );
  const signature = sign('sha256', tbs, parts.signer);
  return sequence(tbs, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), signature));
}

/** One DER value (X.690 section 8.1): its tag, its length, its content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? Buffer.of(body.length)
      : body.length < 0x100
        ? Buffer.of(0x81, body.length)
        : Buffer.of(0x82, body.length >> 8, body.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

function objectId(...arcs: readonly [number, number, ...number[]]): Buffer {
  const [first, second, ...rest] = arcs;
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

const ECDSA_WITH_SHA256 = sequence(objectId(1, 2, 840, 10045, 4, 3, 2));

const BASIC_CONSTRAINTS_CA = sequence(
  objectId(2, 5, 29, 19),
  der(0x01, Buffer.of(0xff)),
  der(0x04, sequence(der(0x01, Buffer.of(0xff)))),
);

function subjectAltNames(names: readonly string[]): Buffer {
  const general = names.map((one) =>
    isIPv4(one) ? der(0x87, Buffer.from(one.split('.').map(Number))) : der(0x82, Buffer.from(one)),
  );
  return sequence(objectId(2, 5, 29, 17), der(0x04, sequence(...general)));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId(2, 5, 4, 3), der(0x0c, Buffer.from(commonName)))));
}

function time(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text.slice(2)));
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
