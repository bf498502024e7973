import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/system-clock.ts';
import type { AnswerReceiver, UpstreamRequest } from '../../../../src/send/http/connection.ts';
import { ConnectionPool } from '../../../../src/send/http/connection-pool.ts';
import { createConnector } from '../../../../src/send/http/connector.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../../support/recording-upstream.ts';
import { answer, held, raw, script } from '../../../support/upstream-answers.ts';

let upstream: RecordingUpstream;
let pool: ConnectionPool;

beforeEach(async () => {
  upstream = await startRecordingUpstream();
  const connect = createConnector(upstream.origin, { servername: '' });
  pool = new ConnectionPool({ connect, connectTimeout: 5_000, keepAlive: 5_000, clock: systemClock });
});
afterEach(async () => {
  pool.destroy();
  await upstream.stop();
});

interface Told {
  readonly onHead?: () => void;
  readonly onPiece?: (pause: () => void) => void;
}

/** Sends a request; resolves with the status when the answer is complete. */
function send(path: string, { onHead, onPiece }: Told = {}): Promise<number> {
  const request: UpstreamRequest = {
    method: 'GET',
    path,
    headers: ['host', 'a'],
    contentLength: 0,
    body: null,
    responseTimeout: 1_000,
    bodyIdleTimeout: 1_000,
  };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let status = 0;
  const receiver: AnswerReceiver = {
    connected: () => true,
    bodySent: () => undefined,
    requestSent: () => undefined,
    interim: () => undefined,
    answered: (head) => {
      status = head.status;
      onHead?.();
    },
    received: () => onPiece?.(() => connection.pause(receiver)),
    ended: () => resolve(status),
    failed: reject,
  };
  const connection = pool.send(request, receiver);
  return promise;
}

describe('a connection', () => {
  it('that was paused at the last piece of an answer reads the next one', async () => {
    const body = held(raw('ok'));
    upstream.on(
      '/slow',
      script(async (context) => {
        await context.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
        await body.run(context);
      }),
    );
    upstream.on('/next', answer(201));
    expect(await send('/slow', { onHead: body.release, onPiece: (pause) => pause() })).toBe(200);
    expect(await send('/next')).toBe(201);
    expect(upstream.connections).toBe(1);
  });
});
