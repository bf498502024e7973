import type { DevSummary } from './dev-stack.ts';

/** What to try on a running stack, ready to be pasted into a shell. */
export function writeGuide(summary: DevSummary): string {
  const { proxy, admin, cognito, upstream, userPoolId, clientId, users } = summary;
  const as = (name: string): string => `-H "Authorization: Bearer $${name}"`;
  const tries: readonly (readonly [command: string, expected: string])[] = [
    [`curl -i ${proxy}/public`, '200: no token needed'],
    [`curl -i ${proxy}/posts`, '401: a token is required'],
    [`curl -i ${proxy}/posts ${as('BOB')}`, '200: any user may read'],
    [`curl -i ${proxy}/posts ${as('BOB')} -d hello`, '403: only writers may post'],
    [`curl -i ${proxy}/posts ${as('ALICE')} -d hello`, '200: alice is one'],
    [`curl -i ${proxy}/users/bob/profile ${as('BOB')}`, '200: their own'],
    [`curl -i ${proxy}/users/alice/profile ${as('BOB')}`, "403: somebody else's"],
    [`curl -s ${admin}/metrics | grep decisions`, 'what was decided'],
  ];
  const width = Math.max(...tries.map(([command]) => command.length));
  return [
    '',
    `proxy      ${proxy}`,
    `admin      ${admin}`,
    `user pool  ${cognito}  (${userPoolId}, client ${clientId})`,
    `upstream   ${upstream}`,
    '',
    '# alice is in the group writers, bob in none',
    `export ALICE=${users.alice.accessToken}`,
    `export BOB=${users.bob.accessToken}`,
    '',
    ...tries.map(([command, expected]) => `${command.padEnd(width)}  # ${expected}`),
    '',
    `# a WebSocket that needs a token and sends back what it gets: ${proxy.replace('http', 'ws')}/ws/echo`,
    '# Ctrl-C stops it all',
    '',
  ].join('\n');
}
