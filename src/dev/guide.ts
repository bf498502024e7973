import type { DevSummary } from './dev-stack.ts';

/**
 * What to try on a running stack, ready to be pasted into a shell. What to expect stands above each command, not behind
 * it: an interactive zsh takes a comment there for arguments.
 */
export function writeGuide(summary: DevSummary): string {
  const { proxy, admin, cognito, upstream, identityPool, userPoolId, clientId, identityPoolId, users } =
    summary;
  const as = (name: string): string => `-H "Authorization: Bearer $${name}"`;
  const tries: readonly (readonly [expected: string, command: string])[] = [
    ['200: public', `curl -i ${proxy}/public`],
    ['401: a token is required', `curl -i ${proxy}/posts`],
    ['200: any user may read', `curl -i ${proxy}/posts ${as('BOB')}`],
    ['403: only writers may post', `curl -i ${proxy}/posts ${as('BOB')} -d hello`],
    ['200: alice is one', `curl -i ${proxy}/posts ${as('ALICE')} -d hello`],
    ['200: their own profile', `curl -i ${proxy}/users/bob/profile ${as('BOB')}`],
    ["403: somebody else's", `curl -i ${proxy}/users/alice/profile ${as('BOB')}`],
    [
      "200: signed with alice's own AWS credentials, as the answer says",
      `curl -i ${proxy}/signed/items ${as('ALICE')} -H "X-Id-Token: $ALICE_ID" -d hello`,
    ],
    ['what was decided', `curl -s ${admin}/metrics | grep decisions`],
  ];
  return [
    '',
    `proxy      ${proxy}`,
    `admin      ${admin}  (its status page, in a browser)`,
    `user pool  ${cognito}  (${userPoolId}, client ${clientId})`,
    `upstream   ${upstream}`,
    `identities ${identityPool}  (${identityPoolId}, with STS)`,
    `WebSocket  ${proxy.replace('http', 'ws')}/ws/echo  (needs a token, sends back what it gets)`,
    '',
    'alice is in the group writers, bob in none. In another terminal:',
    '',
    `export ALICE=${users.alice.accessToken}`,
    `export BOB=${users.bob.accessToken}`,
    `export ALICE_ID=${users.alice.idToken}`,
    '',
    ...tries.flatMap(([expected, command]) => [`# ${expected}`, command]),
    '',
    'Ctrl-C stops it all.',
    '',
  ].join('\n');
}
