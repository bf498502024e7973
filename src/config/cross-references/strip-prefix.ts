import { canonicalSpelling, parseTemplate } from '../path-template.ts';
import type { Check } from './check.ts';

/** A prefix that is stripped must be whole segments, spelt as in a request, that every path of the route starts with. */
export const stripPrefix: Check = (draft) =>
  draft.routes.flatMap((route, index) => {
    if (route?.rewrite === undefined) return [];
    const { segments } = parseTemplate(route.match.path, route.match.permit);
    const variable = segments.findIndex((segment) => segment.kind !== 'static');
    const statics = segments
      .slice(0, variable === -1 ? segments.length : variable)
      .map((segment) => (segment.kind === 'static' ? segment.text : ''));
    const path = ['routes', index, 'rewrite', 'stripPrefix'];
    const written = route.rewrite.stripPrefix;
    const wanted = (canonicalSpelling(written) ?? written).slice(1).split('/');
    if (!wanted.every((part, position) => part === statics[position])) {
      return [{ path, message: `expected the first segments of ${route.match.path}, before any parameter` }];
    }
    const canonical = `/${wanted.join('/')}`;
    return canonical === written
      ? []
      : [{ path, message: `expected it spelt as in a request: ${canonical}` }];
  });
