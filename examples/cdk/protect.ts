// A REST API that needs an API key, for CDK 2. See ../protect-rest-api/template.yaml for why each thing is as it is.
import { App, CfnOutput, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const apiKeysStack = 'api-keys'; // the stack that issues the keys, in the same account and region
const stack = new Stack(new App(), 'my-api');

const authorizer = new apigateway.RequestAuthorizer(stack, 'Keys', {
  handler: lambda.Function.fromFunctionAttributes(stack, 'KeysFunction', {
    functionArn: Fn.importValue(`${apiKeysStack}-AuthorizerArn`),
    sameEnvironment: true, // or CDK leaves out the permission to invoke it
  }),
  resultsCacheTtl: Duration.seconds(0), // a cached verdict outlives a revocation
  identitySources: [], // the key may be in the header or in the query, and API Gateway would insist on both
});
// CDK writes "no identity source" as an empty text, which API Gateway may refuse. It has to be absent.
(authorizer.node.defaultChild as apigateway.CfnAuthorizer).addPropertyDeletionOverride('IdentitySource');

const api = new apigateway.LambdaRestApi(stack, 'Api', {
  handler: new lambda.Function(stack, 'Backend', {
    runtime: lambda.Runtime.PYTHON_3_13,
    handler: 'index.handler',
    code: lambda.Code.fromInline(
      [
        'import json',
        'def handler(event, context):',
        '    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}',
      ].join('\n'),
    ),
  }),
  cloudWatchRole: false, // there is one per account and region, which is not this stack's to set
  // Three things make a limit a 429, and none may be without the others.
  apiKeySourceType: apigateway.ApiKeySourceType.AUTHORIZER, // 1
  deployOptions: { stageName: 'live', variables: { rateLimitResponse: 'usage-key' } }, // 2
  defaultMethodOptions: {
    authorizer,
    apiKeyRequired: true, // 3, on EVERY method. One without it would let requests over their limit through
  },
});

// The usage key that every allowed request carries. Detached, every allowed request is answered 429.
api
  .addUsagePlan('Unlimited', { apiStages: [{ stage: api.deploymentStage }] })
  .addApiKey(apigateway.ApiKey.fromApiKeyId(stack, 'UsageKey', Fn.importValue(`${apiKeysStack}-UsageKeyId`)));

const responses: [string, apigateway.ResponseType, number, string, string, Record<string, string>][] = [
  ['Unauthorized', apigateway.ResponseType.UNAUTHORIZED, 401, 'unauthorized', 'Send a valid API key in X-API-Key.', {}],
  ['Forbidden', apigateway.ResponseType.ACCESS_DENIED, 403, '$context.authorizer.code', '$context.authorizer.detail', {}],
  ['Too Many Requests', apigateway.ResponseType.INVALID_API_KEY, 429, 'rate_limited', '$context.authorizer.detail', {
    'Retry-After': 'context.authorizer.retryAfter',
    RateLimit: 'context.authorizer.rateLimit',
    'RateLimit-Policy': 'context.authorizer.rateLimitPolicy',
  }],
  ['Internal Server Error', apigateway.ResponseType.AUTHORIZER_FAILURE, 500, 'internal', 'A fault on our side. Try again.', {}],
];
for (const [title, type, status, code, detail, headers] of responses) {
  api.addGatewayResponse(title.replace(/ /g, ''), {
    type,
    statusCode: `${status}`,
    responseHeaders: { 'Content-Type': "'application/problem+json'", ...headers },
    templates: { 'application/json': JSON.stringify({ title, status, code, detail }) },
  });
}

new CfnOutput(stack, 'ApiUrl', { value: api.url });
