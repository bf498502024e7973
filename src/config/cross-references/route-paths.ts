import { parseTemplate } from '../path-template.ts';
import type { Check } from './check.ts';

/** Every path template must be well formed, and spelt as requests are. */
export const routePaths: Check = (draft, { telling }) =>
  draft.routes.flatMap((route, index) => {
    if (route === null) return [];
    const path = ['routes', index, 'match', 'path'];
    const { mistakes } = parseTemplate(route.match.path, route.match.permit, (part) =>
      telling.got(path, part, false),
    );
    return mistakes.map((message) => ({ path, message }));
  });
