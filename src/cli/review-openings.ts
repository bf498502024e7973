import { compileRoutes } from '../authorize/compile-routes.ts';
import { findOpenings, type Opening } from '../authorize/find-openings.ts';
import type { Finding } from '../config/problem.ts';
import type { Config } from '../config/schema/config.ts';
import { compileUpstreams } from '../prepare/compile-upstreams.ts';

/** Pairs of routes that are told; who has more has seen by then what it is about. */
const MOST_TOLD = 10;

/** Warns of routes that, without the prefix they strip, reach at the upstream what other routes protect. */
export function reviewOpenings(config: Config): Finding[] {
  if (config.routes.every(({ rewrite }) => rewrite === undefined)) return [];
  // How they sign makes no difference: routes that sign are enforced in any case.
  const upstreams = compileUpstreams(config, new Map());
  const findings: Finding[] = [];
  for (const opening of findOpenings(compileRoutes(config, upstreams))) {
    if (findings.length === MOST_TOLD) {
      findings.push({
        path: ['routes'],
        message: `there are more such pairs than the ${MOST_TOLD} named here`,
      });
      break;
    }
    const index = config.routes.findIndex(({ id }) => id === opening.route.id);
    findings.push({ path: ['routes', index, 'rewrite', 'stripPrefix'], message: describeOpening(opening) });
  }
  return findings;
}

function describeOpening({ route, other, method, path, sent, otherPath }: Opening): string {
  const under = otherPath === sent ? '' : ` as ${otherPath}`;
  return (
    `${method} ${path} reaches upstream "${route.upstream.name}" as ${sent}, which route "${other.id}" protects${under}: ` +
    `give route "${route.id}" a narrower path, or the same rule`
  );
}
