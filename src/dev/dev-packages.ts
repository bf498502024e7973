import { createRequire } from 'node:module';

/** What this room needs beyond the production dependencies. */
const DEV_PACKAGES = ['cognito-local', '@aws-sdk/client-cognito-identity-provider', 'ws'] as const;

/** The first of these packages that is not installed; undefined when all are. */
export function missingDevPackage(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  return DEV_PACKAGES.find((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}
