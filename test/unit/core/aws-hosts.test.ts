import { describe, expect, it } from 'vitest';
import { isS3, readAwsHost } from '../../../src/core/aws-hosts.ts';

describe('service and region of an AWS host', () => {
  it.each([
    ['abc123.execute-api.us-east-1.amazonaws.com', 'execute-api', 'us-east-1'],
    ['abc123.execute-api.cn-north-1.amazonaws.com.cn', 'execute-api', 'cn-north-1'],
    ['abc123.execute-api.us-gov-west-1.amazonaws.com', 'execute-api', 'us-gov-west-1'],
    ['abc123-vpce-0a1b.execute-api.eu-west-1.amazonaws.com', 'execute-api', 'eu-west-1'],
    ['vpce-0a1b-c2d3.execute-api.eu-west-1.vpce.amazonaws.com', 'execute-api', 'eu-west-1'],
    ['abc123.execute-api-fips.us-east-1.amazonaws.com', 'execute-api', 'us-east-1'],
    ['s3.amazonaws.com', 's3', 'us-east-1'],
    ['s3.eu-central-1.amazonaws.com', 's3', 'eu-central-1'],
    ['s3.cn-north-1.amazonaws.com.cn', 's3', 'cn-north-1'],
    ['s3-eu-west-1.amazonaws.com', 's3', 'eu-west-1'],
    ['s3-external-1.amazonaws.com', 's3', 'us-east-1'],
    ['s3-fips-us-gov-west-1.amazonaws.com', 's3', 'us-gov-west-1'],
    ['s3-fips.us-gov-west-1.amazonaws.com', 's3', 'us-gov-west-1'],
    ['s3.dualstack.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['s3-fips.dualstack.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['bucket.s3.amazonaws.com', 's3', 'us-east-1'],
    ['bucket.s3.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['bucket.with.dots.s3.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['bucket.s3-us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['bucket.s3.dualstack.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['point-111122223333.s3-accesspoint.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['point-111122223333.s3-accesspoint-fips.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['bucket.vpce-0a1b-c2d3.s3.us-east-1.vpce.amazonaws.com', 's3', 'us-east-1'],
    ['111122223333.s3-control.us-west-2.amazonaws.com', 's3', 'us-west-2'],
    ['point-1.s3-object-lambda.us-west-2.amazonaws.com', 's3-object-lambda', 'us-west-2'],
    ['point-1.op-1.s3-outposts.us-west-2.amazonaws.com', 's3-outposts', 'us-west-2'],
    ['abcdefghij.lambda-url.eu-north-1.on.aws', 'lambda', 'eu-north-1'],
    ['lambda.eu-north-1.amazonaws.com', 'lambda', 'eu-north-1'],
    ['search-domain-abc.us-east-1.es.amazonaws.com', 'es', 'us-east-1'],
    ['vpc-domain-abc.cn-north-1.es.amazonaws.com.cn', 'es', 'cn-north-1'],
    ['search-domain-abc.aos.us-east-1.on.aws', 'es', 'us-east-1'],
    ['abc123.us-east-1.aoss.amazonaws.com', 'aoss', 'us-east-1'],
    ['abc123.appsync-api.ap-southeast-2.amazonaws.com', 'appsync', 'ap-southeast-2'],
    ['abc123.appsync-realtime-api.ap-southeast-2.amazonaws.com', 'appsync', 'ap-southeast-2'],
    ['dynamodb.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
    ['dynamodb.us-east-1.api.aws', 'dynamodb', 'us-east-1'],
    ['111122223333.ddb.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
    ['streams.dynamodb.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
    ['bedrock-runtime.us-east-1.amazonaws.com', 'bedrock', 'us-east-1'],
    ['bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'bedrock', 'us-gov-west-1'],
    ['bedrock-agent-runtime.us-east-1.amazonaws.com', 'bedrock', 'us-east-1'],
    ['bedrock-agentcore.us-east-1.amazonaws.com', 'bedrock-agentcore', 'us-east-1'],
    ['sqs.eu-west-3.amazonaws.com', 'sqs', 'eu-west-3'],
    ['email.eu-west-3.amazonaws.com', 'ses', 'eu-west-3'],
    ['api.ecr.eu-west-3.amazonaws.com', 'ecr', 'eu-west-3'],
    ['runtime.sagemaker.eu-west-3.amazonaws.com', 'sagemaker', 'eu-west-3'],
    ['aps-workspaces.eu-west-3.amazonaws.com', 'aps', 'eu-west-3'],
    ['a1b2c3-ats.iot.eu-west-3.amazonaws.com', 'iotdata', 'eu-west-3'],
    ['db.cluster-abc.us-east-1.neptune.amazonaws.com', 'neptune-db', 'us-east-1'],
    ['sts.amazonaws.com', 'sts', 'us-east-1'],
    ['sts.ap-northeast-2.amazonaws.com', 'sts', 'ap-northeast-2'],
    ['iam.us-gov.amazonaws.com', 'iam', 'us-gov-west-1'],
    ['sqs.us-iso-east-1.c2s.ic.gov', 'sqs', 'us-iso-east-1'],
  ])('%s', (host, service, region) => {
    expect(readAwsHost(host)).toEqual({ service, region });
  });

  it('knows the service of a host that tells no region', () => {
    expect(readAwsHost('bucket.s3-accelerate.amazonaws.com')).toEqual({ service: 's3', region: null });
    expect(readAwsHost('bucket.s3-accelerate.dualstack.amazonaws.com')).toEqual({
      service: 's3',
      region: null,
    });
  });

  it.each([
    'api.example.com',
    '127.0.0.1',
    'amazonaws.com',
    'us-east-1.amazonaws.com',
    'evil-amazonaws.com',
    'sqs.eu-west-3.amazonaws.com.example.com',
    'bucket.s3-website-us-east-1.amazonaws.com',
    'bucket.s3-website.eu-central-1.amazonaws.com',
    'my-lb-1.us-east-1.elb.amazonaws.com',
    'ec2-1-2-3-4.compute-1.amazonaws.com',
    'constructor.amazonaws.com',
  ])('%s is none that takes signatures', (host) => {
    expect(readAwsHost(host)).toBeNull();
  });

  it.each([
    ['s3', true],
    ['s3-object-lambda', true],
    ['s3-outposts', true],
    ['s3tables', false],
    ['execute-api', false],
  ])('%s has the normal form of S3: %s', (service, s3) => {
    expect(isS3(service)).toBe(s3);
  });
});
