import type { Check } from './check.ts';

/** Browsers refuse "*" together with credentials (Fetch standard, CORS check), and answering any origin is a hole. */
export const corsCredentials: Check = (draft) => {
  const policies = [
    { cors: draft.cors, path: ['cors'] },
    ...draft.routes.map((route, index) => ({ cors: route?.cors, path: ['routes', index, 'cors'] })),
  ];
  return policies.flatMap(({ cors, path }) => {
    if (cors === null || cors === undefined || cors === 'upstream') return [];
    if (!cors.credentials || !cors.origins.includes('*')) return [];
    return [{ path: [...path, 'origins'], message: '"*" cannot stand beside credentials: name the origins' }];
  });
};
