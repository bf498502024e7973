import { describe, expect, it } from 'vitest';
import { createIdentityIds, GUEST } from '../../../src/sign/identity-ids.ts';

function setUp(entries = 2) {
  const ids = createIdentityIds(entries);
  const asked: string[] = [];
  const find = (caller: string) =>
    ids.find(caller, async () => {
      asked.push(caller);
      return `${caller}-${asked.length}`;
    });
  return { ids, asked, find };
}

describe('identity ids', () => {
  it('are asked for once, by all who want one at the same time too', async () => {
    const { asked, find } = setUp();
    expect(await Promise.all([find('alice'), find('alice')])).toEqual([
      { id: 'alice-1', remembered: false },
      { id: 'alice-1', remembered: false },
    ]);
    expect(await find('alice')).toEqual({ id: 'alice-1', remembered: true });
    expect(asked).toEqual(['alice']);
  });

  it('are bounded, but the guest stays: another would be another identity', async () => {
    const { asked, find } = setUp();
    await find(GUEST);
    for (const caller of ['a', 'b', 'c', 'd']) await find(caller);
    expect(await find(GUEST)).toEqual({ id: `${GUEST}-1`, remembered: true });
    expect(await find('a')).toHaveProperty('remembered', false);
    expect(asked).toEqual([GUEST, 'a', 'b', 'c', 'd', 'a']);
  });

  it.each(['alice', GUEST])('of %s can be forgotten', async (caller) => {
    const { ids, asked, find } = setUp();
    await find(caller);
    ids.forget(caller);
    expect(await find(caller)).toHaveProperty('remembered', false);
    expect(asked).toHaveLength(2);
  });

  it('that could not be had are asked for again', async () => {
    const { ids, find } = setUp();
    await expect(ids.find('alice', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await find('alice')).toHaveProperty('id', 'alice-1');
  });
});
