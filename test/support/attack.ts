import { expect } from 'vitest';
import type { ProxyUnderTest } from './proxy.ts';
import type { RawResponse } from './raw-http.ts';
import type { RecordedRequest } from './recording-upstream.ts';

/** Every threat is sent in both shapes, which the proxy must judge alike. */
export const SHAPES = ['request', 'upgrade'] as const;
export type Shape = (typeof SHAPES)[number];

/** What makes a request an upgrade to WebSocket. */
export const UPGRADE_LINES = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** What came of one attack. */
export interface Outcome {
  readonly response: RawResponse;
  /** What reached the upstream because of it. */
  readonly reached: readonly RecordedRequest[];
  /** Connections made to the upstream because of it. */
  readonly connections: number;
}

/** Sends one GET, as it is or as an upgrade to WebSocket, for this target exactly as given. */
export async function attack(
  proxy: ProxyUnderTest,
  shape: Shape,
  target: string,
  headerLines: readonly string[] = [],
): Promise<Outcome> {
  const { upstream } = proxy;
  const requests = upstream.requests.length;
  const connections = upstream.connections;
  const lines = shape === 'upgrade' ? [...UPGRADE_LINES, ...headerLines] : headerLines;
  const response = await proxy.request(`GET ${target} HTTP/1.1`, lines);
  return {
    response,
    reached: upstream.requests.slice(requests),
    connections: upstream.connections - connections,
  };
}

/** The request was refused with this status, message and code, and the upstream never heard of it. */
export function expectRefusal(outcome: Outcome, status: number, message: string, code: string): void {
  const { response } = outcome;
  const requestId = response.header('x-request-id');
  expect({ status: response.status, body: response.json() }).toEqual({
    status,
    body: { message, code, requestId },
  });
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(outcome.reached).toEqual([]);
  expect(outcome.connections).toBe(0);
}

/** The one request that reached the upstream. */
export function onlyRequest(outcome: Outcome): RecordedRequest {
  expect(outcome.reached.map((request) => request.requestLine)).toHaveLength(1);
  return outcome.reached[0] as RecordedRequest;
}

/** Resolves when the proxy says that it handles no request any more; a leak ends in the test's own timeout. */
export async function untilIdle(proxy: ProxyUnderTest): Promise<void> {
  while (!/^cognito_auth_proxy_requests_in_flight 0$/m.test(await proxy.metrics()));
}
