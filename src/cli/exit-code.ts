/** How a command ends, for scripts. */
export const EXIT = {
  fine: 0,
  /** Something failed while running. */
  failed: 1,
  /** Bad usage, or a configuration that cannot be used. */
  unusable: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
