import { ERRORS, type ErrorCode, type ErrorEntry } from '../../src/core/errors.ts';
import { footerOf, withFooter } from './reading-order.ts';

interface Chapter {
  readonly title: string;
  readonly about: string;
  /** Where an operator finds out more. */
  readonly operators: string;
}

/** By the prefix of the codes, in the order in which a request meets them. */
const CHAPTERS: Readonly<Record<string, Chapter>> = {
  REQUEST: {
    title: 'Requests that are not clear',
    about:
      'Refused before a route is looked for, or because the path could be served as something that a stricter rule or limit protects, or as somebody else’s.',
    operators:
      'The log line has `path` unless the path itself was refused. `explain --url` says what in a URL is ambiguous. A route ' +
      'may permit some spellings by name: `match.permit` in [configuration.md](configuration.md).',
  },
  ROUTE: {
    title: 'Requests without a route',
    about: 'Nothing is forwarded that no route matches.',
    operators:
      '`explain --method --url` says which route a request meets. Host comes first, then the path, then the method: a path that ' +
      'is there for other methods is never handed on to a less specific route.',
  },
  AUTHN: {
    title: 'Who the caller is',
    about:
      'The token is missing, or cannot be believed. The codes say how far it came: form, issuer, key, signature, claims.',
    operators:
      'The log line has `route` and `code`, never the token: ask the caller for one. `explain --token-file` says what is in it, and what ' +
      'is accepted instead, by `userPools` in [configuration.md](configuration.md). It has no keys to check signatures with: a token ' +
      'that passes there and not here is of another key, or was changed on its way.',
  },
  AUTHZ: {
    title: 'What the caller may do',
    about: 'The token is good; the rule of the route asks for more.',
    operators:
      'The log line has `condition`: the one that did not hold, in the words of the configuration, beside `subject`, `clientId` and ' +
      '`pool`. `explain --token-file` shows every condition of the rule and whether it holds.',
  },
  SIGN: {
    title: 'Signing for the upstream',
    about:
      'Upstreams with `sign` receive requests with an AWS signature, made with credentials for the caller.',
    operators: 'The log line has `err`: what the identity pool, STS or the signer said.',
  },
  UPSTREAM: {
    title: 'The service behind the proxy',
    about: 'The request was let through, and the service did not answer it. Clients are told no address.',
    operators:
      'The log line has `target`, the address that was tried, and `err`, the reason; `cognito_auth_proxy_upstream_duration_seconds` ' +
      'in [metrics.md](metrics.md) shows whether one upstream is slow.',
  },
  LIMIT: {
    title: 'Limits',
    about: 'Larger, longer, more or more often than is accepted here.',
    operators:
      '[limits.md](limits.md) says what each limit counts, where it is set, and which metric shows how near it is.',
  },
  INTERNAL: {
    title: 'Faults of our own',
    about: 'Nothing is forwarded after one.',
    operators: 'The log line has `err` with the cause, under the request id that the client was given.',
  },
};

/** The whole of docs/errors.md. */
export function errorsPage(): string {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const chapters = Map.groupBy(codes, (code) => code.slice(0, code.indexOf('_')));
  for (const prefix of chapters.keys()) {
    if (CHAPTERS[prefix] === undefined) throw new Error(`no chapter for ${prefix}_`);
  }
  const text = [
    INTRODUCTION,
    ...Object.entries(CHAPTERS).flatMap(([prefix, chapter]) => [
      `## ${prefix}_: ${chapter.title}`,
      wrap(chapter.about),
      wrap(`_For operators:_ ${chapter.operators}`),
      ...(chapters.get(prefix) ?? []).map(section),
    ]),
  ].join('\n\n');
  return withFooter(text, footerOf('docs/errors.md'));
}

const INTRODUCTION = `# Error codes

What a client sees when the proxy itself answers. \`code\` is stable: scripts may rely on it. \`message\` is what Amazon API Gateway
says for the status, so that its clients keep working. \`requestId\` is also in the header \`x-request-id\` and in the log.

\`\`\`json
{
  "message": "Forbidden",
  "code": "AUTHZ_GROUP_REQUIRED",
  "requestId": "2f1c7a5e-0d0b-4f4c-9a53-0c8f7a1f4f6e"
}
\`\`\`

A caller who accepts \`text/html\` gets the same facts as a page. Answers of the service behind the proxy are passed on as they are,
and have none of these codes. Which file decides each: [request-lifecycle.md](request-lifecycle.md#where-a-refusal-is-decided).

Every refused request is one line in the log and one count in \`cognito_auth_proxy_decisions_total{route,decision,code}\`, unless
it was no HTTP at all. To find out more about one, look for its request id in the log; to find out about one that has not
happened yet, ask \`cognito-auth-proxy explain\`.`;

function section(code: ErrorCode): string {
  const entry: ErrorEntry = ERRORS[code];
  const lines = [
    `**${entry.status} ${entry.message}:** ${entry.description}.`,
    '',
    literal(entry.remedy),
    '',
  ];
  const headers = headersOf(entry);
  if (headers.length > 0) lines.push(`- with ${headers.join(', ')}`);
  if (entry.close === true) lines.push('- the connection is closed');
  lines.push(`- logged at level \`${entry.level}\``);
  return `### ${code}\n\n${lines.join('\n')}`;
}

/** Names with underscores as they are, not in bold. */
function literal(text: string): string {
  return text.replace(/\b__\w+__\b/g, '`$&`');
}

/** In lines as long as those of the other pages. */
function wrap(text: string): string {
  return text.replace(/(.{1,128})(?: |$)/g, '$1\n').trimEnd();
}

function headersOf(entry: ErrorEntry): string[] {
  const headers: string[] = [];
  if (entry.challenge === 'bare') headers.push('`WWW-Authenticate: Bearer`');
  else if (entry.challenge !== undefined)
    headers.push(`\`WWW-Authenticate: Bearer error="${entry.challenge}", ...\``);
  if (entry.status === 429) headers.push('`Retry-After`', '`RateLimit`', '`RateLimit-Policy`');
  else if (entry.retryAfter !== undefined) headers.push(`\`Retry-After: ${entry.retryAfter}\``);
  return headers;
}
