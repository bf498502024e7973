import type { Clock, Timer } from '../../core/ports.ts';
import { type AnswerReceiver, Connection, type ConnectionOwner, type UpstreamRequest } from './connection.ts';
import type { Connector } from './connector.ts';

export interface ConnectionPoolOptions {
  readonly connect: Connector;
  /** Milliseconds for a connection to be made. */
  readonly connectTimeout: number;
  /** Milliseconds for which an idle connection is kept, unless the upstream says that it keeps it for less. */
  readonly keepAlive: number;
  readonly clock: Clock;
}

/** Milliseconds for which a request may be on its way while the upstream closes an idle connection. */
const CLOSING_SOON = 1_000;

/** The connections to one address: as many as there are requests at once, used again by those that follow. */
export class ConnectionPool implements ConnectionOwner {
  readonly #options: ConnectionPoolOptions;
  readonly #all = new Set<Connection>();
  /** The one used last is at the end and used first, so that those which are not needed become old and go. */
  readonly #idle: Connection[] = [];
  #sweep: Timer | null = null;
  #emptied: PromiseWithResolvers<void> | null = null;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  /** Whether no new request is to be sent here. */
  get closed(): boolean {
    return this.#emptied !== null;
  }

  /** Connections that are made. */
  get size(): number {
    let size = 0;
    for (const { open } of this.#all) if (open) size += 1;
    return size;
  }

  /** @returns the connection that the request goes by, to be paused or given up there */
  send(request: UpstreamRequest, receiver: AnswerReceiver): Connection {
    const connection = this.#takeIdle() ?? this.#connect();
    connection.send(request, receiver);
    return connection;
  }

  released(connection: Connection): void {
    const { keepAlive, clock } = this.#options;
    const kept = Math.min(keepAlive, connection.keepAlive - CLOSING_SOON);
    if (this.closed || kept <= 0) {
      connection.destroy();
      return;
    }
    connection.idleUntil = clock.monotonic() + kept;
    this.#idle.push(connection);
    this.#sweep ??= clock.after(kept, this.#closeOld);
  }

  removed(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#all.size === 0) this.#emptied?.resolve();
  }

  /** Takes no more requests; resolves when those under way are over. */
  close(): Promise<void> {
    const emptied = this.#emptied ?? Promise.withResolvers<void>();
    this.#emptied = emptied;
    this.#sweep?.cancel();
    for (const connection of [...this.#idle]) connection.destroy();
    if (this.#all.size === 0) emptied.resolve();
    return emptied.promise;
  }

  /** Cuts all connections. */
  destroy(): void {
    void this.close();
    for (const connection of [...this.#all]) connection.destroy();
  }

  #connect(): Connection {
    const { connect, connectTimeout, clock } = this.#options;
    const connection = new Connection(connect, connectTimeout, clock, this);
    this.#all.add(connection);
    return connection;
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      // The timer that should have closed it may be late.
      if (this.#options.clock.monotonic() < connection.idleUntil) return connection;
      connection.destroy();
    }
    return undefined;
  }

  readonly #closeOld = (): void => {
    const { clock } = this.#options;
    const now = clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const connection of [...this.#idle]) {
      if (connection.idleUntil <= now) connection.destroy();
      else next = Math.min(next, connection.idleUntil);
    }
    this.#sweep = next === Number.POSITIVE_INFINITY ? null : clock.after(next - now, this.#closeOld);
  };
}
