/** Why the proxy ends a WebSocket (RFC 6455 section 7.4.1). */
export const CloseStatus = {
  goingAway: 1001,
  policyViolation: 1008,
} as const;

/** An unmasked close frame, as servers send them (RFC 6455 section 5.5.1). Clean between frames, and else an end all the same. */
export function closeFrame(status: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const frame = Buffer.alloc(4 + text.length);
  frame[0] = 0x88;
  frame[1] = 2 + text.length;
  frame.writeUInt16BE(status, 2);
  text.copy(frame, 4);
  return frame;
}
