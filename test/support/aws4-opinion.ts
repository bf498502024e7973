import aws4 from 'aws4';
import type { ArrivedHead } from '../../src/dev/verify-signature.ts';

/** The part of aws4's signer that works without sending anything. */
interface RequestSigner {
  authHeader(): string;
}
type RequestSignerClass = new (
  request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    service: string;
    region: string;
    extraHeadersToInclude: Record<string, true>;
  },
  credentials: { accessKeyId: string; secretAccessKey: string },
) => RequestSigner;

/**
 * What the package aws4, which shares no code with us, would have put into `Authorization` for the request that
 * arrived. Undefined where its own reading is another: it drops empty query keys, for S3 all but the first value of a
 * repeated one, and encodes header values as UTF-8.
 */
export function aws4Opinion(head: ArrivedHead, secretAccessKey: string): string | undefined {
  const authorization = head.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
  const [, accessKeyId = '', scope = '', names = ''] =
    /Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const [, region = '', service = ''] = scope.split('/');
  if (isBeyondAws4(head, service)) return undefined;
  const headers: Record<string, string> = {};
  for (const name of names.split(';')) {
    const values = head.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    headers[name] = values.join(',');
  }
  const Signer = (aws4 as unknown as { RequestSigner: RequestSignerClass }).RequestSigner;
  const signer = new Signer(
    {
      method: head.method,
      path: head.target,
      headers,
      service,
      region,
      extraHeadersToInclude: Object.fromEntries(names.split(';').map((name) => [name, true as const])),
    },
    { accessKeyId, secretAccessKey },
  );
  return signer.authHeader();
}

function isBeyondAws4(head: ArrivedHead, service: string): boolean {
  const query = head.target.split('?', 2)[1] ?? '';
  const keys = query.split('&').map((piece) => piece.split('=', 1)[0]);
  if (query !== '' && keys.includes('')) return true;
  if (service === 's3' && new Set(keys).size < keys.length) return true;
  return head.headers.some(([, value]) => /[^ -~]/.test(value));
}
