import { readFileSync } from 'node:fs';

/** Descriptors kept for all that is no client and no upstream: probes and scrapes, keys, the log, the configuration. */
const RESERVE = 64;

/** Connections to the admin port: a part of those, since the rest needs some too. */
export const ADMIN_CONNECTIONS = RESERVE / 2;

/** Files that this process may have open at most; infinite where the system does not say. */
export function descriptorLimit(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Client connections for which so many descriptors suffice: each may need another, to an upstream. Beyond them a client is better
 * told so than dropped, and the probes must find a descriptor, or the process is restarted for having much to do.
 */
export function connectionsWithin(descriptors: number): number {
  return Math.max(1, Math.floor((descriptors - RESERVE) / 2));
}
