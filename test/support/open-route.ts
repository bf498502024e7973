/** A route that lets everybody do everything: for tests of what comes after the verdict. */
export const OPEN_ROUTE = {
  id: 'open',
  match: { path: '/{path+}' },
  allow: 'public',
  upstream: 'board',
} as const;
