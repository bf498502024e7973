import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../src/core/errors.ts';
import { codeOfFailure, isConnectionFailure, isTargetFailure } from '../../../src/send/classify-failure.ts';
import { UpstreamFault } from '../../../src/send/http/upstream-fault.ts';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

/** What a failure is called, whether it speaks against the address, and whether another connection may do. */
const TABLE: readonly [
  what: string,
  error: unknown,
  code: keyof typeof ERRORS,
  target: boolean,
  connection: boolean,
][] = [
  ['a refused connection', coded('ECONNREFUSED'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['an unreachable host', coded('EHOSTUNREACH'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['an unreachable network', coded('ENETUNREACH'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['an unknown name', coded('ENOTFOUND'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['a name server that does not answer', coded('EAI_AGAIN'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['no descriptors left here', coded('EMFILE'), 'UPSTREAM_CONNECT_FAILED', false, false],
  [
    'several addresses, none of which answers',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'UPSTREAM_CONNECT_FAILED',
    true,
    true,
  ],
  [
    'a certificate of nobody we know',
    coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    'UPSTREAM_CONNECT_FAILED',
    true,
    true,
  ],
  ['a certificate that has expired', coded('CERT_HAS_EXPIRED'), 'UPSTREAM_CONNECT_FAILED', true, true],
  [
    'a certificate for another name',
    coded('ERR_TLS_CERT_ALTNAME_INVALID'),
    'UPSTREAM_CONNECT_FAILED',
    true,
    true,
  ],
  ['a handshake that fails', coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'UPSTREAM_CONNECT_FAILED', true, true],
  ['no connection in the kernel’s time', coded('ETIMEDOUT'), 'UPSTREAM_TIMEOUT', true, true],
  ['a reset', coded('ECONNRESET'), 'UPSTREAM_RESET', true, true],
  ['a pipe that broke', coded('EPIPE'), 'UPSTREAM_RESET', true, true],
  ['what node’s parser refuses', coded('HPE_INVALID_CONSTANT'), 'UPSTREAM_RESPONSE_INVALID', false, false],
  ['a value that node will not write', coded('ERR_INVALID_CHAR'), 'UPSTREAM_RESPONSE_INVALID', false, false],
  [
    'a status that node will not write',
    coded('ERR_HTTP_INVALID_STATUS_CODE'),
    'UPSTREAM_RESPONSE_INVALID',
    false,
    false,
  ],
  ['a defect of ours', new TypeError('x is not a function'), 'INTERNAL_ERROR', false, false],
  ['a defect of ours, noticed by node', coded('ERR_HTTP_HEADERS_SENT'), 'INTERNAL_ERROR', false, false],
  ['something thrown that is no error', 'oops', 'INTERNAL_ERROR', false, false],
  ['nothing', undefined, 'INTERNAL_ERROR', false, false],
  [
    'a fault seen by us',
    new UpstreamFault('UPSTREAM_UPGRADE_REFUSED', '101 without Upgrade'),
    'UPSTREAM_UPGRADE_REFUSED',
    false,
    false,
  ],
  ['no connection in time', new UpstreamFault('UPSTREAM_TIMEOUT', 'late'), 'UPSTREAM_TIMEOUT', true, true],
  [
    'no answer in time, where the upstream has the request',
    new UpstreamFault('UPSTREAM_TIMEOUT', 'late', { askAnother: false }),
    'UPSTREAM_TIMEOUT',
    true,
    false,
  ],
  ['an end', new UpstreamFault('UPSTREAM_RESET', 'ended'), 'UPSTREAM_RESET', true, true],
  [
    'an answer that cannot be read',
    new UpstreamFault('UPSTREAM_RESPONSE_INVALID', 'odd'),
    'UPSTREAM_RESPONSE_INVALID',
    false,
    false,
  ],
];

describe('a failure to send', () => {
  it.each(TABLE)('by %s', (_what, error, code, target, connection) => {
    expect([codeOfFailure(error), isTargetFailure(error), isConnectionFailure(error)]).toEqual([
      code,
      target,
      connection,
    ]);
  });

  it('is the upstream’s, 502 or 504, or ours, 500', () => {
    const statuses = new Set(TABLE.map(([, error]) => ERRORS[codeOfFailure(error)].status));
    expect(statuses).toEqual(new Set([500, 502, 504]));
  });
});
