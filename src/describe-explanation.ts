import type { Explanation } from './explain.ts';
import { describeRefusedToken } from './explain-token.ts';

/**
 * An explanation in lines of text, as `explain` prints it.
 * @param now seconds since the epoch
 */
export function describeExplanation(explanation: Explanation, now: number): string {
  const { refusal, shadow, path, route, parameters, principal, refusedToken, conditions, signing } =
    explanation;
  const lines: string[] = [];
  const row = (name: string, value: string): void => void lines.push(`${name.padEnd(10)} ${value}`);
  if (path !== null) row('path', path);
  if (route !== null) {
    row('route', `${route.id} (allow: ${route.allow}), to upstream ${route.upstream}`);
    for (const [name, value] of Object.entries(parameters)) row('', `{${name}} = ${value}`);
    if (route.rateLimit !== null) row('limit', route.rateLimit);
  }
  if (principal !== null) {
    const { username, subject, pool, clientId, tokenUse, groups, scopes, expiresAt } = principal;
    row(
      'caller',
      `${username === '' ? subject : username} of ${pool}, client ${clientId}, ${tokenUse} token`,
    );
    row('', `groups [${groups.join(', ')}], scopes [${scopes.join(', ')}]`);
    row('', `token expires in ${Math.round(expiresAt - now)} s; its signature was not checked`);
  }
  if (refusedToken !== null) for (const line of describeRefusedToken(refusedToken, now)) row(...line);
  for (const { condition, holds, depth } of conditions) {
    row(depth === 0 ? 'condition' : '', `${holds ? '+' : '-'} ${'  '.repeat(depth)}${condition}`);
  }
  if (signing !== null) {
    row('signed', `for ${signing.service} in ${signing.region}, payload: ${signing.payload}`);
    row('', `with ${signing.credentials}; role: ${signing.role}`);
    if (signing.provider !== null) row('', `vouched for by ${signing.provider}`);
  }
  if (shadow !== null) {
    row('outcome', 'let through, because of enforce: false; with true it would be');
    row('', `${shadow.status} ${shadow.code}: ${shadow.description}`);
  } else {
    row(
      'outcome',
      refusal === null ? 'allowed' : `${refusal.status} ${refusal.code}: ${refusal.description}`,
    );
    if (refusal?.detail != null) row('', refusal.detail);
  }
  return `${lines.join('\n')}\n`;
}
