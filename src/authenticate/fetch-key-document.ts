import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import type { FetchedDocument, FetchKeyDocument } from '../core/ports.ts';
import { KeysAbsentError } from '../core/ports.ts';

/** A key set on disk, as the configuration names it: the path follows as it is. */
export const FILE_SCHEME = 'file:';

const MAX_DOCUMENT_BYTES = 150_000;

/**
 * Makes the function that fetches key sets. No redirect is followed, the whole fetch has one deadline, and the answer is
 * given up at 150 kB.
 *
 * @param environment where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked for
 */
export function createKeyDocumentFetcher(
  environment: Readonly<Record<string, string | undefined>>,
): FetchKeyDocument {
  const http = new HttpAgent({ proxyEnv: { ...environment } });
  const https = new HttpsAgent({ proxyEnv: { ...environment } });
  return (url, timeout) => {
    if (url.startsWith(FILE_SCHEME)) return readKeyFile(url.slice(FILE_SCHEME.length));
    return new Promise<FetchedDocument>((resolve, reject) => {
      const deadline = AbortSignal.timeout(timeout);
      const options = {
        signal: deadline,
        headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      };
      const fail = (error: unknown): void =>
        reject(deadline.aborted ? new Error(`no answer within ${timeout} ms`) : error);
      const read = (response: IncomingMessage): void => {
        readDocument(response).then(resolve, fail);
      };
      const request = url.startsWith('https:')
        ? httpsGet(url, { ...options, agent: https }, read)
        : httpGet(url, { ...options, agent: http }, read);
      request.on('error', fail);
    });
  };
}

async function readKeyFile(path: string): Promise<FetchedDocument> {
  return { document: await readFile(path, 'utf8'), fresh: true };
}

async function readDocument(response: IncomingMessage): Promise<FetchedDocument> {
  const status = response.statusCode ?? 0;
  try {
    // What Cognito answers for an issuer that this pool does not use.
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      throw new KeysAbsentError(`the key endpoint answered ${status}`);
    }
    if (status !== 200) throw new Error(`the key endpoint answered ${status}`);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_DOCUMENT_BYTES)
        throw new Error(`the key set is larger than ${MAX_DOCUMENT_BYTES} bytes`);
      chunks.push(chunk);
    }
    return { document: Buffer.concat(chunks).toString('utf8'), fresh: true };
  } finally {
    response.destroy();
  }
}
