import { describe, expect, it } from 'vitest';
import { statusOf } from '../../../src/core/refusal.ts';
import { isNotFound, isTransient, readAwsError } from '../../../src/sign/read-aws-error.ts';

function awsError(name: string, message = 'said so', httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

describe('an error of AWS', () => {
  it.each([
    ['NotAuthorizedException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['InvalidParameterException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['ResourceConflictException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['InvalidIdentityTokenException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['IDPRejectedClaimException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['ExpiredTokenException', 'SIGN_CREDENTIALS_DENIED', 403],
    ['AccessDenied', 'SIGN_ROLE_DENIED', 403],
    ['InvalidIdentityPoolConfigurationException', 'SIGN_ROLE_DENIED', 403],
    ['TooManyRequestsException', 'SIGN_CREDENTIALS_THROTTLED', 503],
    ['Throttling', 'SIGN_CREDENTIALS_THROTTLED', 503],
    ['LimitExceededException', 'SIGN_CREDENTIALS_THROTTLED', 503],
    ['ResourceNotFoundException', 'SIGN_CREDENTIALS_UNAVAILABLE', 503],
    ['InternalErrorException', 'SIGN_CREDENTIALS_UNAVAILABLE', 503],
    ['ValidationError', 'SIGN_CREDENTIALS_UNAVAILABLE', 503],
    ['CredentialsProviderError', 'SIGN_CREDENTIALS_UNAVAILABLE', 503],
    ['SyntaxError', 'SIGN_CREDENTIALS_UNAVAILABLE', 503],
  ])('%s about a caller is %s', (name, code, status) => {
    const refusal = readAwsError(awsError(name), 'caller', []);
    expect(refusal.code).toBe(code);
    expect(statusOf(refusal)).toBe(status);
    expect((refusal.cause as Error).message).toBe(`${name}: said so`);
  });

  it.each([
    'NotAuthorizedException',
    'AccessDeniedException',
    'ExpiredTokenException',
    'UnrecognizedClientException',
  ])('%s about credentials of our own is no fault of the caller', (name) => {
    expect(readAwsError(awsError(name), 'self', []).code).toBe('SIGN_CREDENTIALS_UNAVAILABLE');
  });

  it('with status 429 is throttling, whatever its name', () => {
    expect(readAwsError(awsError('Odd', '', 429), 'caller', []).code).toBe('SIGN_CREDENTIALS_THROTTLED');
  });

  it('is not told with what was sent in it', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln';
    const opaque = 'A'.repeat(40);
    const message = `no: ${token}\n and ${encodeURIComponent('a+b/c=')} and ${opaque}`;
    const { cause } = readAwsError(awsError('NotAuthorizedException', message), 'caller', [token, 'a+b/c=']);
    expect((cause as Error).message).toBe(
      'NotAuthorizedException: no: [removed] and [removed] and [removed]',
    );
    expect(Object.keys(cause as object)).toEqual([]);
  });

  it('keeps what helps: provider names, identity ids, roles', () => {
    const message =
      'cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123 us-east-1:11111111-2222-3333-4444-555555555555 arn:aws:iam::111122223333:role/writers';
    const { cause } = readAwsError(awsError('NotAuthorizedException', message), 'caller', []);
    expect((cause as Error).message).toBe(`NotAuthorizedException: ${message}`);
  });

  it('is cut where it is long', () => {
    const { cause } = readAwsError(awsError('X', 'word '.repeat(1000)), 'caller', []);
    expect((cause as Error).message.length).toBeLessThan(320);
  });

  it.each([
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), true],
    [Object.assign(new Error('x'), { code: 'EPIPE' }), true],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), false],
    [awsError('InternalErrorException', '', 500), true],
    [awsError('ServiceUnavailable', '', 503), true],
    [awsError('NotAuthorizedException', '', 400), false],
    [new Error('x'), false],
    ['x', false],
  ])('%o may be gone at once: %s', (error, transient) => {
    expect(isTransient(error)).toBe(transient);
  });

  it('says what is not found', () => {
    expect(isNotFound(awsError('ResourceNotFoundException'))).toBe(true);
    expect(isNotFound(awsError('NotAuthorizedException'))).toBe(false);
  });
});
