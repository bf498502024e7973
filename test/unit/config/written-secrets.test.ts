import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

/** Variables that are set: what is written beside them is refused all the same. */
const environment = {
  HOST: 'cache',
  PORT: '6379',
  PW: 'pw',
  USER: 'me',
  EMPTY: '',
  URL: 'redis://:pw@cache',
};

function redis(url: string): string[] {
  return problemsIn(`rateLimits: { store: { redis: ${JSON.stringify(url)} }, onStoreFailure: open }`, {
    environment,
  });
}

function credential(key: 'secretAccessKey' | 'sessionToken', value: string): string[] {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: '${PW}', [key]: value };
  const sign = { service: 's3', region: 'us-east-1', credentials: { static: credentials } };
  return problemsIn(`upstreams: ${JSON.stringify({ board: { url: 'https://board', sign } })}`, {
    environment,
  });
}

const REFUSED_PASSWORD =
  'c.yaml:1:31: rateLimits.store.redis: expected ${NAME} in place of the password, or { file: path }: a secret must not be written here';
const REFUSED =
  /static\.(secretAccessKey|sessionToken): expected \$\{NAME\} without a default, or \{ file: path \}: a secret must not be written here$/;

describe('a URL of Redis', () => {
  it.each([
    'redis://:hunter2@h:6379',
    'redis://:hunter2@${HOST}:6379',
    'redis://:hunter2@${HOST}:${PORT}',
    'redis://:hunter2@${HOST}',
    'redis://u:hunter2@${HOST}/0',
    'redis://:hun/ter2@${HOST}/0',
    'redis://:hun@ter2@${HOST}/0',
    '${SCHEME:-redis}://:hunter2@h',
    '${SCHEME:-rediss}://${USER}:hunter2@h',
    'redis://:hunter2${PW}@h',
    'redis://:${PW}hunter2@h',
    'redis://:${PW:-hunter2}@h',
    'redis://:${EMPTY:-}hunter2@h',
    'redis://:$${PW}@h',
    'redis://hunter2@h',
    'redis://h:6379?password=hunter2',
    'redis://${HOST}/0?family=6&password=hunter2',
    'redis://${HOST}?password=hunter2${PW}',
    'redis://${HOST}?PassWord=${PW:-hunter2}',
    '${URL}?auth_pass=hunter2',
    '${URL:-redis://:hunter2@h}',
    '${URL:-redis://}:hunter2@h',
  ])('%s holds a password', (url) => {
    expect(redis(url)).toEqual([REFUSED_PASSWORD]);
  });

  it.each([
    'redis://h',
    'redis://h:6379/2',
    'redis://${HOST}:${PORT}/0',
    'redis://:${PW}@${HOST}:${PORT}',
    'redis://me:${PW}@cache',
    'rediss://${USER}:${PW}@${HOST}:6380/1',
    'redis://${USER}:${PW:-}@h',
    'redis://h?password=${PW}',
    'redis://h?family=6',
    '${URL}',
    '${URL:-redis://h:6379}',
  ])('%s holds none', (url) => {
    expect(redis(url)).toEqual([]);
  });
});

describe('a secret', () => {
  it.each([
    'hunter2',
    'hunter2${EMPTY:-}',
    '${EMPTY:-}hunter2',
    'hunter2${PW}',
    '${PW}hunter2',
    '${PW:-hunter2}',
    '${X:-hunter2}${PW}',
    '${X:-null}${PW}',
    '$${PW}',
    'null',
  ])('%s is written down, all or a part of it', (value) => {
    expect(credential('secretAccessKey', value)).toEqual([expect.stringMatching(REFUSED)]);
    expect(credential('sessionToken', value)).toEqual([expect.stringMatching(REFUSED)]);
  });

  it.each(['${PW}', '${USER}${PW}', '${PW}\n', '${PW:-}'])('%j is not', (value) => {
    expect(credential('secretAccessKey', value)).toEqual([]);
  });

  it.each(['${S:-null}', '${PW:-null}'])('%s says that there may be none', (value) => {
    expect(credential('sessionToken', value)).toEqual([]);
  });
});
