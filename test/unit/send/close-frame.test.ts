import { describe, expect, it } from 'vitest';
import { CloseStatus, closeFrame } from '../../../src/send/close-frame.ts';

describe('closeFrame', () => {
  it.each([
    ['going away', CloseStatus.goingAway, 'going away', '88 0c 03e9 676f696e672061776179'],
    ['expired', CloseStatus.policyViolation, 'token expired', '88 0f 03f0 746f6b656e2065787069726564'],
    ['no reason', CloseStatus.policyViolation, '', '88 02 03f0'],
    ['a reason in UTF-8, whose bytes count', CloseStatus.policyViolation, '끝', '88 05 03f0 eb819d'],
  ])('is one unmasked control frame: %s', (_what, status, reason, hex) => {
    expect(closeFrame(status, reason).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });
});
