/** Connections idle for minutes, and by the thousand: nothing of the requests that came on them may be kept for so long. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { server as serverSchema } from '../../../src/config/schema/server.ts';
import { STAGES, type Stage } from '../../../src/core/exchange.ts';
import { createPipeline } from '../../../src/listen/pipeline.ts';
import { createPublicServer, type PublicServer } from '../../../src/listen/public-server.ts';
import { createResponder } from '../../../src/listen/respond.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { openRaw } from '../../support/raw-http.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

/** Turns of the event loop that a request may take to be forgotten. */
const TURNS = 50;

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

let server: PublicServer;
afterEach(async () => {
  await server.destroy();
});

/** @returns V8's collector */
function exposeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

it('forgets a request when its answer is out, though its connection stays', async () => {
  const collect = exposeCollector();
  const clock = createFakeClock();
  const exchanges: WeakRef<object>[] = [];
  const stages = STAGES.map(
    (name): Stage => ({
      name,
      run(exchange) {
        if (name === 'observe') exchanges.push(new WeakRef(exchange));
        return name === 'send' ? { kind: 'reply', status: 200, headers: ['content-length', '0'] } : undefined;
      },
    }),
  );
  const pipeline = createPipeline(stages, createResponder(), clock, recordingLogger([]), { inFlight: 0 });
  server = createPublicServer({
    config: serverSchema.parse({ listen: '127.0.0.1:0' }),
    maxConnections: 10,
    pipeline: () => pipeline,
    clock,
    onRefusedConnection: () => undefined,
  });
  const connection = await openRaw(`http://127.0.0.1:${await server.start()}`);
  connection.send(REQUEST);
  await connection.takeUntil('\r\n\r\n');

  for (let i = 0; i < TURNS && exchanges[0]?.deref() !== undefined; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(exchanges.map((exchange) => exchange.deref())).toEqual([undefined]);
  expect(server.connections).toBe(1);
  connection.send(REQUEST);
  expect((await connection.takeUntil('\r\n\r\n')).toString()).toMatch(/^HTTP\/1\.1 200 /);
});
