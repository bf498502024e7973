import type { Config } from '../config/schema/config.ts';
import type { Exchange, Stage } from '../core/exchange.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { CredentialObserver } from '../core/signing.ts';
import { openConnections } from './aws-clients.ts';
import type { Matches } from './choose-role.ts';
import { createClockOffsets } from './clock-offset.ts';
import { createBodyHolder } from './hold-body.ts';
import { createSignStage } from './sign-stage.ts';
import { createSourceRegister } from './source-register.ts';

export interface SignerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: CredentialObserver;
  /** The judgement of `when` in roles. */
  readonly matches: Matches;
  /** Among how many processes rates and memory are shared out. */
  readonly workers: number;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY for calls to AWS are looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Signer {
  readonly stage: Stage;
  /**
   * To be told of the status and the `Date` of every upstream's answer.
   * @returns whether the request was refused for its time and should be signed and sent again, which only one whose
   *   body is held, or that has none, can be
   */
  readonly noticeAnswer: (exchange: Exchange, status: number, date: string | undefined) => boolean;
  /** Goes on with another configuration; the credentials of pools whose settings are the same stay. */
  readonly update: (config: Config) => void;
  readonly stop: () => void;
}

/** Everything that signs: the stage, the sources of credentials behind it, and what they remember. */
export function createSigner(options: SignerOptions): Signer {
  const { clock, workers } = options;
  const connections = openConnections(clock, options.environment);
  const sources = createSourceRegister({ ...options, connections });
  const offsets = createClockOffsets(clock);

  const build = (config: Config): Stage => {
    sources.use(config);
    const { bufferBytes, bufferTotalBytes } = config.server.limits;
    return createSignStage({
      sourceOf: sources.get,
      matches: options.matches,
      holder: createBodyHolder({
        clock,
        bufferBytes,
        bufferTotalBytes: bufferTotalBytes / workers,
        idle: config.server.timeouts.bodyIdle,
      }),
      offsets,
    });
  };
  let current = build(options.config);

  return {
    stage: { name: 'sign', run: (exchange) => current.run(exchange) },
    noticeAnswer(exchange, status, date) {
      const { outbound } = exchange;
      if (outbound === null || outbound.upstream.sign === null) return false;
      const learnt = offsets.learn(outbound.upstream.name, status, date);
      return learnt && exchange.attempts < 2 && (outbound.body === null || Buffer.isBuffer(outbound.body));
    },
    update(config) {
      current = build(config);
    },
    stop() {
      sources.stop();
      connections.close();
    },
  };
}
