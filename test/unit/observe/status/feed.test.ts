import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { StatusBoard } from '../../../../src/observe/status/board.ts';
import { createFeed } from '../../../../src/observe/status/feed.ts';
import { describeStatus, type Status } from '../../../../src/observe/status/status.ts';
import { NIGHT, viewOf } from '../../../support/status-view.ts';

const statusAt = (seconds: number): Status =>
  describeStatus(viewOf([], { time: NIGHT + seconds * 1000 }), () => NIGHT);

/** A listener's connection, as far as the feed sees it. */
class Listener extends EventEmitter {
  writableNeedDrain = false;
  readonly events: { time: string; parts: Record<string, string> }[] = [];
  writeHead(): void {}
  write(text: string): void {
    const [, data] = /^data: (.*)$/m.exec(text) ?? [];
    if (data !== undefined) this.events.push(JSON.parse(data) as Listener['events'][number]);
  }
}

function feedOf() {
  let tell: ((status: Status) => void) | null = null;
  const board: StatusBoard = {
    start: () => undefined,
    stop: () => undefined,
    current: () => Promise.resolve(statusAt(0)),
    watch(next) {
      tell = next;
      return () => {
        tell = null;
      };
    },
  };
  const feed = createFeed(board, () => 'abc');
  return {
    add: (listener: Listener) => feed.add(listener as unknown as ServerResponse),
    tell: (status: Status) => tell?.(status),
    watching: () => tell !== null,
  };
}

it('holds nothing for a listener that does not read; it gets the newest when it does', async () => {
  const feed = feedOf();
  const [fast, slow] = [new Listener(), new Listener()];
  feed.add(fast);
  feed.add(slow);
  await setImmediate();
  slow.events.length = 0;
  slow.writableNeedDrain = true;
  for (const seconds of [1, 2, 3]) feed.tell(statusAt(seconds));
  expect(slow.events).toEqual([]);
  expect(fast.events.map(({ time }) => time)).toEqual(['02:51:01', '02:51:02', '02:51:03']);
  expect(Object.keys(fast.events[0]?.parts ?? {})).toContain('headline');
  expect(Object.keys(fast.events[1]?.parts ?? {})).not.toContain('headline');
  slow.writableNeedDrain = false;
  feed.tell(statusAt(4));
  expect(slow.events.map(({ time }) => time)).toEqual(['02:51:04']);
});

it('watches for as long as somebody listens', () => {
  const feed = feedOf();
  const listeners = [new Listener(), new Listener()];
  for (const listener of listeners) feed.add(listener);
  listeners[0]?.emit('close');
  expect(feed.watching()).toBe(true);
  listeners[1]?.emit('close');
  expect(feed.watching()).toBe(false);
});
