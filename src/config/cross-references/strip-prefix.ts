import { parseTemplate } from '../path-template.ts';
import type { Check } from './check.ts';

/** A prefix that is stripped must be whole segments that every path of the route starts with. */
export const stripPrefix: Check = (draft) =>
  draft.routes.flatMap((route, index) => {
    if (route?.rewrite === undefined) return [];
    const { segments } = parseTemplate(route.match.path, route.match.permit);
    const variable = segments.findIndex((segment) => segment.kind !== 'static');
    const fixed = route.match.path.slice(1).split('/');
    const statics = variable === -1 ? fixed : fixed.slice(0, variable);
    const wanted = route.rewrite.stripPrefix.slice(1).split('/');
    if (wanted.every((part, position) => part === statics[position])) return [];
    const message = `expected the first segments of ${route.match.path} as they stand before any parameter`;
    return [{ path: ['routes', index, 'rewrite', 'stripPrefix'], message }];
  });
