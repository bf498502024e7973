import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { writeGuide } from '../../../src/dev/guide.ts';

const user = (username: string) => ({
  username,
  accessToken: `${username}.access`,
  idToken: `${username}.id`,
});
const guide = writeGuide({
  proxy: 'http://127.0.0.1:8080',
  admin: 'http://127.0.0.1:9090',
  cognito: 'http://127.0.0.1:9229',
  upstream: 'http://127.0.0.1:3000',
  identityPool: 'http://127.0.0.1:4000',
  identityPoolId: 'us-east-1:1',
  userPoolId: 'local_1',
  clientId: 'client1',
  users: { alice: user('alice'), bob: user('bob') },
});
const commands = guide.split('\n').filter((line) => line.startsWith('curl '));

describe('writeGuide', () => {
  it('has lines that a shell understands, with the tokens exported first', () => {
    const exports = guide.split('\n').filter((line) => line.startsWith('export '));
    expect(exports).toEqual([
      'export ALICE=alice.access',
      'export BOB=bob.access',
      'export ALICE_ID=alice.id',
    ]);
    const script = ['curl() { printf "%s|" "$@"; echo; }', ...exports, commands[2], commands[4]].join('\n');
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n')).toEqual([
      '-i|http://127.0.0.1:8080/posts|-H|Authorization: Bearer bob.access|',
      '-i|http://127.0.0.1:8080/posts|-H|Authorization: Bearer alice.access|-d|hello|',
      '',
    ]);
  });

  it('has no comment behind a command', () => {
    expect(commands).toHaveLength(9);
    expect(commands.filter((line) => line.includes('#'))).toEqual([]);
  });

  it('says where everything is', () => {
    expect(guide).toContain('user pool  http://127.0.0.1:9229  (local_1, client client1)');
    expect(guide).toContain('ws://127.0.0.1:8080/ws/echo');
  });
});
