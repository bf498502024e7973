import { DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { HttpRequest } from '@smithy/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DynamoDb, startDynamoDb } from '../../support/dynamo-db.ts';
import { bearer } from '../../support/proxy.ts';
import { type SigningStack, startSigningStack } from '../../support/signing-stack.ts';
import { makeKey, signToken } from '../../support/token-factory.ts';
import { codeIn } from '../../support/use-signing-stack.ts';
import { useUserPool } from '../../support/user-pool.ts';

const TABLE = 'posts';

/** The SDK with a token where it would put a signature of its own. */
function clientOf(origin: string, token: string | null): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: origin,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
    signer: {
      async sign(request: HttpRequest) {
        if (token !== null) request.headers['authorization'] = `Bearer ${token}`;
        return request;
      },
    },
  });
}

describe('a board whose posts are in DynamoDB', () => {
  const pool = useUserPool();
  let dynamoDb: DynamoDb;
  let stack: SigningStack;

  beforeAll(async () => {
    dynamoDb = await startDynamoDb(TABLE);
    stack = await startSigningStack({
      userPool: pool(),
      sign: { service: 'dynamodb' },
      config: {
        routes: [
          {
            id: 'api',
            match: { methods: ['POST'], path: '/' },
            allow: 'authenticated',
            upstream: 'signed',
          },
          {
            id: 'post',
            match: { methods: ['POST'], path: '/post' },
            allow: 'authenticated',
            upstream: 'signed',
            rewrite: { stripPrefix: '/post' },
          },
        ],
      },
    });
    // What the judge of signatures has let through goes on to DynamoDB.
    stack.upstream.answer = (request, response) => {
      const headers = Object.fromEntries(
        request.headers.filter(([name]) => !/^(host|content-length|connection)$/i.test(name)),
      );
      void fetch(dynamoDb.origin, { method: request.method, headers, body: request.body }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        },
      );
    };
  });
  afterAll(async () => {
    await stack?.stop();
    await dynamoDb?.stop();
  });

  async function everything(): Promise<number> {
    const client = new DynamoDBClient({
      endpoint: dynamoDb.origin,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { Count } = await client.send(new ScanCommand({ TableName: TABLE, Select: 'COUNT' }));
    client.destroy();
    return Count ?? 0;
  }

  const post = (id: string) => ({
    TableName: TABLE,
    Item: { id: { S: id }, title: { S: 'Hello' }, contents: { S: 'from alice — 안녕' } },
  });

  it('stores what alice posts, and gives it back', async () => {
    const { users } = pool();
    const client = clientOf(stack.proxy.origin, users.alice.idToken);
    await client.send(new PutItemCommand(post('1')));
    const alice = stack.identity();
    expect(alice).toMatch(/^us-east-1:/);
    const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: { id: { S: '1' } } }));
    expect(Item).toEqual(post('1').Item);
    expect(stack.identity()).toBe(alice);
    expect(stack.upstream.requests.map((request) => request.verdict)).toEqual(['ok', 'ok']);
    expect(stack.upstream.judgedTwice).toBe(2);
    client.destroy();

    const other = clientOf(stack.proxy.origin, users.bob.idToken);
    await other.send(new GetItemCommand({ TableName: TABLE, Key: { id: { S: '1' } } }));
    expect(stack.identity()).not.toBe(alice);
    other.destroy();
  });

  it('takes a post at a path of its own', async () => {
    const { users } = pool();
    const answer = await stack.proxy.request(
      'POST /post HTTP/1.1',
      [
        bearer(users.alice.idToken),
        'Content-Type: application/x-amz-json-1.0',
        'X-Amz-Target: DynamoDB_20120810.PutItem',
      ],
      JSON.stringify({
        TableName: TABLE,
        Item: { id: { S: '2' }, title: { S: 'Plain' }, contents: { S: 'POST' } },
      }),
    );
    expect(answer.status, answer.text).toBe(200);
    expect(stack.upstream.last.target).toBe('/');
    expect(await everything()).toBe(2);
  });

  it('takes an access token with the ID token beside it', async () => {
    const { users } = pool();
    const answer = await stack.proxy.request(
      'POST /post HTTP/1.1',
      [
        bearer(users.bob.accessToken),
        `X-Id-Token: ${users.bob.idToken}`,
        'Content-Type: application/x-amz-json-1.0',
        'X-Amz-Target: DynamoDB_20120810.GetItem',
      ],
      JSON.stringify({ TableName: TABLE, Key: { id: { S: '2' } } }),
    );
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toHaveProperty('Item.title.S', 'Plain');
  });

  const foreign = makeKey('CognitoLocal');
  it.each<[string, () => string | null, string]>([
    ['without a token', () => null, 'AUTHN_TOKEN_MISSING'],
    ['with the token of another pool', () => stack.idToken(), 'AUTHN_ISSUER_UNKNOWN'],
    [
      'with a token that another key signed',
      () => {
        const [, claims = ''] = pool().users.alice.idToken.split('.');
        return signToken(foreign, JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')));
      },
      'AUTHN_SIGNATURE_INVALID',
    ],
    ['with an access token alone', () => pool().users.alice.accessToken, 'SIGN_ID_TOKEN_REQUIRED'],
  ])('stores nothing %s', async (_name, token, code) => {
    const before = await everything();
    const arrived = stack.upstream.requests.length;
    const client = clientOf(stack.proxy.origin, token());
    await expect(client.send(new PutItemCommand(post('x')))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 401 },
    });
    client.destroy();
    const given = token();
    const raw = await stack.proxy.request('POST /post HTTP/1.1', given === null ? [] : [bearer(given)], '{}');
    expect(codeIn(raw)).toBe(code);
    expect(await everything()).toBe(before);
    expect(stack.upstream.requests.length).toBe(arrived);
  });

  it('does not take the SDK’s own signature for a token', async () => {
    const client = new DynamoDBClient({
      endpoint: stack.proxy.origin,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
    });
    await expect(client.send(new PutItemCommand(post('y')))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 401 },
    });
    client.destroy();
  });
});
