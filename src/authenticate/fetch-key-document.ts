import { createReadStream } from 'node:fs';
import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import type { FetchedDocument, FetchKeyDocument } from '../core/ports.ts';
import { KeysAbsentError } from '../core/ports.ts';

const MAX_DOCUMENT_BYTES = 150_000;

/**
 * Makes the function that fetches key sets, or reads them from disk. No redirect is followed, the whole fetch has one
 * deadline, and the answer is given up at 150 kB.
 *
 * @param environment where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked for
 */
export function createKeyDocumentFetcher(
  environment: Readonly<Record<string, string | undefined>>,
): FetchKeyDocument {
  const http = new HttpAgent({ proxyEnv: { ...environment } });
  const https = new HttpsAgent({ proxyEnv: { ...environment } });

  const request = (url: string, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options = { signal, headers: { accept: 'application/json', 'accept-encoding': 'identity' } };
      const asked = url.startsWith('https:')
        ? httpsGet(url, { ...options, agent: https }, resolve)
        : httpGet(url, { ...options, agent: http }, resolve);
      asked.on('error', reject);
    });

  return async (url, timeout): Promise<FetchedDocument> => {
    if (url.startsWith('file:'))
      return { document: await collect(createReadStream(new URL(url))), fresh: true };
    const deadline = AbortSignal.timeout(timeout);
    try {
      return { document: await readAnswer(await request(url, deadline)), fresh: true };
    } catch (error) {
      throw deadline.aborted ? new Error(`no answer within ${timeout} ms`) : error;
    }
  };
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  try {
    // What Cognito answers for an issuer that this pool does not use.
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      throw new KeysAbsentError(`the key endpoint answered ${status}`);
    }
    if (status !== 200) throw new Error(`the key endpoint answered ${status}`);
    return await collect(response);
  } finally {
    response.destroy();
  }
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) {
      throw new Error(`the key set is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
