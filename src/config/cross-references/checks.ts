import type { Draft } from '../draft.ts';
import type { Finding } from '../problem.ts';
import { basicFlow } from './basic-flow.ts';
import type { Check, CheckContext } from './check.ts';
import { claimParameters } from './claim-parameters.ts';
import { corsCredentials } from './cors-credentials.ts';
import { preflightsMeant, preflightsUnsigned } from './cors-upstream.ts';
import { danglingNames } from './dangling-names.ts';
import { enforcementMeant, signedRoutesEnforced } from './enforcement.ts';
import { identityHeaders, tokenSourcesOnce } from './header-names.ts';
import { indistinctRoutes } from './indistinct-routes.ts';
import { keySetFiles } from './key-set-files.ts';
import { listenAddresses } from './listen-addresses.ts';
import { loginProviders } from './login-providers.ts';
import { plainHttp } from './plain-http.ts';
import { poolSaid } from './pool-said.ts';
import { callersKnown, storeFailureSaid } from './rate-limits.ts';
import { routeIds } from './route-ids.ts';
import { routePaths } from './route-paths.ts';
import { ownIdentities, payloadModes, signingScopes } from './signing.ts';
import { stripPrefix } from './strip-prefix.ts';
import { tlsMaterial } from './tls-material.ts';
import { poolNeeded, poolTwice } from './user-pools.ts';

const CHECKS: readonly Check[] = [
  listenAddresses,
  tlsMaterial,
  poolNeeded,
  poolTwice,
  plainHttp,
  keySetFiles,
  basicFlow,
  danglingNames,
  poolSaid,
  routeIds,
  routePaths,
  indistinctRoutes,
  claimParameters,
  stripPrefix,
  corsCredentials,
  preflightsUnsigned,
  preflightsMeant,
  identityHeaders,
  tokenSourcesOnce,
  storeFailureSaid,
  callersKnown,
  signingScopes,
  payloadModes,
  ownIdentities,
  loginProviders,
  signedRoutesEnforced,
  enforcementMeant,
];

/** Everything that is wrong between the parts of a configuration, each part by itself being right. */
export function checkCrossReferences(draft: Draft, context: CheckContext): Finding[] {
  return CHECKS.flatMap((check) => check(draft, context));
}
