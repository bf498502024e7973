import type { ProxyUnderTest } from './proxy.ts';

/**
 * Waits until a number that grows has stopped growing: it is looked at between requests that make the whole way through the
 * proxy, so that everything under way has had its turns.
 */
export async function settleDown(proxy: ProxyUnderTest, amount: () => number): Promise<number> {
  let before = -1;
  while (amount() !== before) {
    before = amount();
    for (let i = 0; i < 20; i++) await proxy.request('GET /settle HTTP/1.1');
  }
  return before;
}
