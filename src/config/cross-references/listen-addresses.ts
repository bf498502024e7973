import type { Check } from './check.ts';

/** The public and the admin server need a port each. */
export const listenAddresses: Check = (draft) => {
  const [open, admin] = [draft.server?.listen, draft.admin?.listen];
  if (open === undefined || admin === undefined || open.port === 0 || open.port !== admin.port) return [];
  const overlap = open.host === admin.host || isEveryAddress(open.host) || isEveryAddress(admin.host);
  if (!overlap) return [];
  return [{ path: ['admin', 'listen'], message: `port ${admin.port} is taken by server.listen` }];
};

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
