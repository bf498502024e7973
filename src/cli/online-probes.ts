import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createKeyDocumentFetcher } from '../authenticate/fetch-key-document.ts';
import { issuersOf } from '../authenticate/issuers.ts';
import { parseKeySet } from '../authenticate/key-set.ts';
import type { Config } from '../config/schema/config.ts';
import { KeysAbsentError } from '../core/ports.ts';
import type { ProbeResult } from './check.ts';
import type { CommandContext } from './command.ts';

/** Fetches the keys of every pool. A pool is fine when one of its two forms of issuer has keys. */
export async function probeKeys(config: Config, context: CommandContext): Promise<ProbeResult[]> {
  const fetchKeys = createKeyDocumentFetcher(context.environment);
  return Promise.all(
    Object.entries(config.userPools).map(async ([name, pool]): Promise<ProbeResult> => {
      const subject = `keys of user pool ${name}`;
      const timeout = 'file' in pool.keys ? 0 : pool.keys.timeout;
      const urls = [...new Set(issuersOf(pool).map(({ keysUrl }) => keysUrl))];
      const found: string[] = [];
      const failures: string[] = [];
      for (const url of urls) {
        try {
          const { document } = await fetchKeys(url, timeout);
          found.push(`${(await parseKeySet(document, false)).size} keys at ${url}`);
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          failures.push(error instanceof KeysAbsentError ? `${message} (${url})` : `${url}: ${message}`);
        }
      }
      return found.length > 0
        ? { subject, ok: true, detail: found.join(', ') }
        : { subject, ok: false, detail: failures.join('; ') };
    }),
  );
}

/** Connects to every address of every upstream, with TLS where it is configured, and asks nothing of it. */
export async function probeUpstreams(config: Config): Promise<ProbeResult[]> {
  const addresses = Object.entries(config.upstreams).flatMap(([name, upstream]) =>
    (upstream.urls ?? [upstream.url ?? '']).map((url) => ({ name, upstream, url: new URL(url) })),
  );
  return Promise.all(
    addresses.map(async ({ name, upstream, url }): Promise<ProbeResult> => {
      const subject = `upstream ${name} at ${url.origin}`;
      try {
        await connectOnce(url, upstream);
        return { subject, ok: true, detail: 'connected' };
      } catch (error) {
        return { subject, ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

function connectOnce(url: URL, upstream: Config['upstreams'][string]): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  return new Promise((resolve, reject) => {
    // An address is no name to ask for in a handshake (RFC 6066 section 3); it is checked all the same.
    const { ca, cert, key, servername = isIP(host) === 0 ? host : '' } = upstream.tls ?? {};
    const socket = secure
      ? connectTls({ host, port, servername, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
      : connect({ host, port });
    const finish = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(upstream.timeouts.connect, () => {
      finish(() => reject(new Error(`no connection within ${upstream.timeouts.connect} ms`)));
    });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once(secure ? 'secureConnect' : 'connect', () => finish(resolve));
  });
}
