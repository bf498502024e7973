import type { Case, ContenderName, Entrant } from '../cases/case.ts';
import type { Contender, Setup, Site } from '../contenders/contender.ts';
import { haproxy } from '../contenders/haproxy.ts';
import { proxy } from '../contenders/proxy.ts';
import { bareUpstream } from '../contenders/upstream.ts';
import { usualStack } from '../contenders/usual-stack.ts';
import { type RequestFile, writeRequests } from '../world/requests.ts';

export const CONTENDERS: Readonly<Record<ContenderName, Contender>> = {
  proxy,
  haproxy,
  usualStack,
  upstream: bareUpstream,
};

/** What an entrant is started with, and what it is sent. */
export interface EntrantSetup {
  readonly setup: Setup;
  readonly requests: RequestFile;
  /** The same with forged tokens. */
  readonly forged: RequestFile;
}

const FORGERIES = 1_000;

export async function setUpEntrant(
  one: Case,
  entrant: Entrant,
  site: Site,
  nodeArguments: readonly string[] = [],
): Promise<EntrantSetup> {
  const {
    routes = 200,
    tokens = 1_000,
    workers = 1,
    cores = 1,
    cacheEntries = 50_000,
    signs = false,
  } = entrant;
  const kind = one.load.kind === 'stream' ? 'huge' : one.load.request;
  const signed = kind === 'public' ? null : await site.mint.tokens(tokens);
  return {
    setup: { routes, workers, cores, cacheEntries, signs, nodeArguments },
    requests: writeRequests(site.folder, { kind, routes, tokens: signed }),
    forged: writeRequests(site.folder, { kind, routes, tokens: await site.mint.forgeries(FORGERIES) }),
  };
}
