import { Registry } from 'prom-client';

/** What one process counts. */
export class OwnRegistry extends Registry {
  /** What the status page has samples of and scrapes have not: with thousands of routes it would be too much for them. */
  readonly pageOnly = new Registry();
}
