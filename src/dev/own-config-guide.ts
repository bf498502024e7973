import type { OwnConfigSummary } from './own-config-stack.ts';

/** Who can be played on a running stack, ready to be pasted into a shell. */
export function writeOwnConfigGuide(summary: OwnConfigSummary): string {
  const { proxy, admin, upstream, tokens, asked } = summary;
  const { groups, scopes } = asked;
  const callers = [
    groups.length === 0
      ? 'alice and bob are signed in, in no group'
      : `alice is in the groups ${groups.join(', ')}, bob in none`,
    ...(scopes.length === 0 ? [] : [`machine is a client with the scopes ${scopes.join(', ')}`]),
  ];
  return [
    '',
    `proxy      ${proxy}`,
    `admin      ${admin}  (its status page, in a browser; its routes: curl -s ${admin}/)`,
    `upstream   ${upstream}  (stands in for all of them, and says back what it gets)`,
    '',
    `${callers.join('; ')}. In another terminal:`,
    '',
    ...Object.entries(tokens).map(([name, token]) => `export ${name}=${token}`),
    '',
    'Ctrl-C stops it all.',
    '',
  ].join('\n');
}
