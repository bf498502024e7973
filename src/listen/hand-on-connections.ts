import type { Worker } from 'node:cluster';

/** What Node's primary and workers say to each other about connections, as far as it is looked at here. */
interface InternalMessage {
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

/**
 * Has a connection that was on its way to a worker which died given to another. Node deals connections out one at a time to each
 * worker, and deals on what a worker says it has not taken; of one that dies it waits for the word for ever, and so does the client.
 * Here the word is put in its mouth. Should Node come to speak of these things in other terms, nothing is done.
 */
export function handOnConnections(worker: Worker): void {
  const { process } = worker;
  /** The message with the connection that the worker has not yet said to have taken; null: there is none. */
  let underWay: unknown = null;

  const send = process.send?.bind(process) as ((...parts: unknown[]) => boolean) | undefined;
  if (send === undefined) return;
  process.send = (...parts: unknown[]): boolean => {
    const message = parts[0] as InternalMessage | null;
    if (message?.act === 'newconn') underWay = message.seq;
    return send(...parts);
  };
  process.on('internalMessage', (message: InternalMessage) => {
    if (message.ack === underWay) underWay = null;
  });
  // Behind all that it has said, and behind Node's own listeners, which take it off the list of those to deal to.
  const handOn = (): void => {
    if (underWay === null || worker.isConnected()) return;
    process.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: underWay, accepted: false }, undefined);
  };
  // The channel does not tell that it is closed while it waits for a connection's receipt.
  process.once('disconnect', handOn).once('exit', handOn);
}
