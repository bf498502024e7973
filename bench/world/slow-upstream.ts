import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { SeededRandom } from '../../test/support/seeded-random.ts';

/** An upstream that takes its time, and fails when told to. */
export interface SlowUpstream {
  readonly origin: string;
  /** Per cent of its answers from now on that are 502. */
  fail(percent: number): void;
  stop(): Promise<void>;
}

export interface SlowUpstreamOptions {
  /** Milliseconds until an answer. */
  readonly least: number;
  readonly most: number;
  readonly random: SeededRandom;
}

export async function startSlowUpstream({ least, most, random }: SlowUpstreamOptions): Promise<SlowUpstream> {
  let failing = 0;
  const server = createServer(async (request, response) => {
    request.resume();
    const status = random.chance(failing) ? 502 : 200;
    await setTimeout(least + random.below(most - least));
    response.writeHead(status).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail(percent) {
      failing = percent;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
