import { Agent, type IncomingMessage, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startProxy } from '../support/proxy.ts';

const ROUTES = 5000;

describe('the scrape of a proxy with 5,000 routes', () => {
  it('takes at most 200 bytes for each outcome of each route that was used, and nothing for the others', async () => {
    const proxy = await startProxy({
      routes: Array.from({ length: ROUTES }, (_, index) => ({
        id: `route-${index}`,
        match: { path: `/services/${index}/{proxy+}` },
        allow: 'authenticated',
        upstream: 'board',
      })),
    });
    const unused = await proxy.metrics();

    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const ask = (index: number, headers: Record<string, string>): Promise<number> =>
      statusOf(`${proxy.origin}/services/${index}/x`, { agent, headers });
    const authorization = proxy.token();
    // Every route is refused once; every tenth lets somebody in, too.
    const statuses = await Promise.all(
      Array.from({ length: ROUTES }, (_, index) => [
        ask(index, {}),
        ...(index % 10 === 0 ? [ask(index, { authorization })] : []),
      ]).flat(),
    );
    agent.destroy();
    expect(statuses.filter((status) => status === 401)).toHaveLength(ROUTES);
    expect(statuses.filter((status) => status === 200)).toHaveLength(ROUTES / 10);

    const used = await proxy.metrics();
    await proxy.stop();
    expect(used).toContain('route="route-4999"');
    expect(unused).not.toContain('route="route-');
    expect(unused.length).toBeLessThan(20_000);
    expect(used.length - unused.length).toBeLessThan(statuses.length * 200);
  }, 60_000);
});

function statusOf(url: string, options: { agent: Agent; headers: Record<string, string> }): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response: IncomingMessage) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
}
