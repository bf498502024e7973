import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** An origin on the loopback at which connections are refused: its port was free a moment ago. */
export async function refusingOrigin(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
