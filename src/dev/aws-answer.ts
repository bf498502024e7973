/** What an emulated operation comes to: a result, or an error in the service's own terms. */
export type Outcome<T> = T | AwsError;

export interface AwsError {
  readonly error: string;
  readonly message: string;
  readonly status: number;
}

export function awsError(error: string, message: string, status = 400): AwsError {
  return { error, message, status };
}

export function isAwsError(outcome: object): outcome is AwsError {
  return 'error' in outcome;
}

/** An answer on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** AWS JSON 1.1 (Smithy specification, "AWS JSON 1.1 protocol"). */
export function jsonAnswer(outcome: object): WireAnswer {
  const type = 'application/x-amz-json-1.1';
  if (!isAwsError(outcome)) return { status: 200, type, headers: {}, body: JSON.stringify(outcome) };
  return {
    status: outcome.status,
    type,
    headers: { 'x-amzn-errortype': `${outcome.error}:` },
    body: JSON.stringify({ __type: outcome.error, message: outcome.message }),
  };
}

/** AWS Query, the XML of STS (Smithy specification, "AWS query protocol"). */
export function queryAnswer(action: string, outcome: object, requestId: string): WireAnswer {
  const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';
  const body = isAwsError(outcome)
    ? `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${escapeXml(outcome.error)}</Code><Message>${escapeXml(outcome.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
    : `<${action}Response xmlns="${namespace}"><${action}Result>${toXml(outcome)}</${action}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`;
  return { status: isAwsError(outcome) ? outcome.status : 200, type: 'text/xml', headers: {}, body };
}

function toXml(value: object): string {
  return Object.entries(value)
    .map(([name, content]: [string, unknown]) => {
      const inner =
        typeof content === 'object' && content !== null ? toXml(content) : escapeXml(String(content));
      return `<${name}>${inner}</${name}>`;
    })
    .join('');
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
