import { valueAt } from '../config-path.ts';
import type { Check } from './check.ts';

/** The public and the admin server need a port each. */
export const listenAddresses: Check = (draft, { written }) => {
  const [open, admin] = [draft.server?.listen, draft.admin?.listen];
  if (open === undefined || admin === undefined || open.port === 0 || open.port !== admin.port) return [];
  const overlap = open.host === admin.host || isEveryAddress(open.host) || isEveryAddress(admin.host);
  if (!overlap) return [];
  const [path, other] = valueAt(written, ['admin', 'listen'])
    ? [['admin', 'listen'], 'server.listen']
    : [['server', 'listen'], 'admin.listen'];
  return [{ path, message: `port ${admin.port} is taken by ${other}` }];
};

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
