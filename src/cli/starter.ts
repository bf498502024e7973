/** What a starting configuration is made for; what is left out becomes an example to replace. */
export interface StarterOptions {
  readonly userPoolId?: string;
  readonly clientId?: readonly string[];
  readonly upstream?: string;
}

/** A commented configuration that passes `check` as it is. */
export function writeStarter({ userPoolId, clientId, upstream }: StarterOptions): string {
  const pool = scalar(userPoolId ?? 'us-east-1_AbCdEf123');
  const clients = (clientId ?? ['1example23456789']).map(scalar).join(', ');
  const url = scalar(upstream ?? 'http://127.0.0.1:3000');
  return `# yaml-language-server: $schema=./config.schema.json
#
# Configuration of cognito-auth-proxy. Say what is wrong with it:  cognito-auth-proxy check --config FILE
# Completion in editors:  cognito-auth-proxy schema --write config.schema.json
# \${NAME} and \${NAME:-default} are replaced from the environment.

server:
  listen: 0.0.0.0:8080

# /livez, /readyz and /metrics; keep it away from clients
admin:
  listen: 127.0.0.1:9090

userPools:
  main:
    userPoolId: ${pool}${userPoolId === undefined ? ' # replace with yours' : ''}
    # app clients whose tokens are accepted; null would accept any client of the pool
    clientIds: [${clients}]${clientId === undefined ? ' # replace with yours' : ''}
    # access tokens only; [access, id] accepts both
    tokenUse: [access]

upstreams:
  main:
    url: ${url}${upstream === undefined ? ' # replace with yours' : ''}

# Every request needs a route: static segments go before {parameters}, those before {greedy+}; the order here is nothing.
routes:
  # no token is looked at
  - id: health
    match: { methods: [GET], path: /healthz }
    allow: public
    upstream: main

  # any token that verifies; {proxy+} is one segment or more, so / is a route of its own
  - id: root
    match: { path: / }
    allow: authenticated
    upstream: main
  - id: everything-else
    match: { path: "/{proxy+}" }
    allow: authenticated
    upstream: main

  # conditions: all that are named must hold, of a list any entry will do
  # - id: write-posts
  #   match: { methods: [POST, PUT], path: "/users/{userId}/posts" }
  #   allow:
  #     groups: [writers, admins]
  #     claims: { sub: "{userId}" }
  #   upstream: main
`;
}

/** A text as YAML, in quotes where it would be read as something else. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][\w.:/-]*$/.test(text) || /^\d+[A-Za-z][A-Za-z\d]*$/.test(text);
  return plain && !/^(true|false|null|\d+e\d+)$/i.test(text) ? text : JSON.stringify(text);
}
