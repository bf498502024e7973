import { parseTemplate } from '../path-template.ts';
import type { Check } from './check.ts';

/** Every path template must be well formed, and spelt as requests are. */
export const routePaths: Check = (draft) =>
  draft.routes.flatMap((route, index) => {
    if (route === null) return [];
    const { mistakes } = parseTemplate(route.match.path, route.match.permit);
    return mistakes.map((message) => ({ path: ['routes', index, 'match', 'path'], message }));
  });
