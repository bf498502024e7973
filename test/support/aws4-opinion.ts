import aws4 from 'aws4';
import type { ArrivedHead } from '../../src/dev/verify-signature.ts';

/** Missing from the types of aws4: headers to sign that it would leave out by itself. */
interface SignRequest extends aws4.Request {
  readonly extraHeadersToInclude: Readonly<Record<string, true>>;
}

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
  const request: SignRequest = {
    method: head.method,
    path: head.target,
    headers,
    service,
    region,
    extraHeadersToInclude: Object.fromEntries(names.split(';').map((name) => [name, true as const])),
  };
  const signed = aws4.sign(request, { accessKeyId, secretAccessKey });
  return String(signed.headers?.['Authorization']);
}

function isBeyondAws4(head: ArrivedHead, service: string): boolean {
  const query = head.target.split('?', 2)[1] ?? '';
  const keys = query.split('&').map((piece) => piece.split('=', 1)[0]);
  if (query !== '' && keys.includes('')) return true;
  if (service === 's3' && new Set(keys).size < keys.length) return true;
  return head.headers.some(([, value]) => /[^ -~]/.test(value));
}
