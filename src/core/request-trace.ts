/** The trace of one request, while it is on its way. */
export interface RequestTrace {
  /** 32 hexadecimal digits, for lines of log. */
  readonly traceId: string;
  /** The connection has become a WebSocket: what is traced ends here, however long that stays open. */
  switched(): void;
}
