"""Slips that the checks of http-api.yaml have to notice, as in mutations.py."""

ROUTE = 'RouteKey: "GET /v1/keys/{id}", Target: !Sub "integrations/${ManageIntegration}"'
CUSTOM = "AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer"
OPEN = "AuthorizationType: NONE"
SLIPS = [
    ("routes_are_those_of_the_template", '"PATCH /v1/keys/{id}"', '"PATCH /v1/clefs/{id}"'),
    ("routes_are_those_of_the_template", '"GET /v1/self"', '"$default"'),
    ("routes_are_those_of_the_template", '"GET /example"', '"ANY /example"'),
    ("routes_are_those_of_the_template", '"PUT /example"', '"GET /example"'),
    ("routes_are_those_of_the_template", ROUTE, ROUTE.replace("Manage", "Example")),
    ("routes_are_those_of_the_template", "AWS::ApiGatewayV2::Route\n    Condition: HasExample\n", "AWS::ApiGatewayV2::Route\n"),
    ("every_route_has_the_authorizer", CUSTOM, OPEN),
    ("every_route_has_the_authorizer", CUSTOM, "AuthorizationType: AWS_IAM"),
    ("every_route_has_the_authorizer", CUSTOM, "ApiKeyRequired: false"),
    ("every_route_has_the_authorizer", CUSTOM, CUSTOM.replace("!Ref Authorizer", "abc123")),
    ("open_routes_are_held_back", CUSTOM, OPEN),
    ("open_routes_are_held_back", "ThrottlingRateLimit: !Ref RequestsPerSecond", "DetailedMetricsEnabled: true"),
    ("simple_verdicts_are_never_cached", "AuthorizerResultTtlInSeconds: 0", "AuthorizerResultTtlInSeconds: 60"),
    ("simple_verdicts_are_never_cached", "      AuthorizerResultTtlInSeconds: 0\n", ""),
    ("simple_verdicts_are_never_cached", "Name: Keys", "Name: Keys\n      IdentitySource: [$request.header.X-API-Key]"),
    ("simple_verdicts_are_never_cached", "EnableSimpleResponses: true", "EnableSimpleResponses: false"),
    ("simple_verdicts_are_never_cached", 'FormatVersion: "2.0"', 'FormatVersion: "1.0"'),
    ("simple_verdicts_are_never_cached", "- Function: {Fn::ImportValue: !Sub \"${ApiKeysStack}-Auth", "- Function: {X: \"Auth"),
    ("http_stage_tells_the_authorizer_what_it_is", "routes: management", "routes: example"),
    ("http_stage_tells_the_authorizer_what_it_is", "routes: management", "rateLimitResponse: usage-key"),
    ("http_stage_tells_the_authorizer_what_it_is", "StageName: $default", "StageName: live"),
    ("http_log_holds_no_key", "$context.routeKey", "$context.path"),
    ("http_log_holds_no_key", "$context.status", "$request.querystring.api_key"),
    ("pages_may_call_the_http_api", "[!Ref CorsOrigin]", '["*"]'),
    ("pages_may_call_the_http_api", ", PATCH, DELETE]", ", DELETE]"),
    ("pages_may_call_the_http_api", ", If-Match,", ","),
    ("pages_may_call_the_http_api", "ExposeHeaders: [ETag]", "ExposeHeaders: [Date]"),
    ("pages_may_call_the_http_api", "        MaxAge: 3600", "        AllowCredentials: true"),
    ("only_this_api_may_invoke", "${Api}/${Stage}/*", "*/*"),
    ("only_this_api_may_invoke", "${Api}/authorizers/${Authorizer}", "${Api}/*"),
    ("only_this_api_may_invoke", "Principal: apigateway.amazonaws.com", 'Principal: "*"'),
    ("payloads_are_of_format_2", '  PayloadFormatVersion: "2.0"\n', '  PayloadFormatVersion: "1.0"\n'),
    ("what_it_imports_is_exported", "-RotateFunctionArn", "-RotationArn"),
    ("it_is_tagged_and_shares_its_parameters", "Tags: {application: api-keys}", "Tags: {application: keys}"),
    ("it_is_tagged_and_shares_its_parameters", 'Default: "*"', 'Default: ""'),
    ("it_is_tagged_and_shares_its_parameters", "    Description: How long CloudWatch", "#"),
    ("http_api_passes_cfn_lint", "!GetAtt AccessLog.Arn", "!GetAtt AccessLogs.Arn"),
]  # fmt: skip
# In template.yaml: what changes there has to be changed here too.
TEMPLATE_SLIPS = [
    ("routes_are_those_of_the_template", "Method: GET, Path: /v1/plans}", "Method: GET, Path: /v1/tariffs}"),
    ("every_route_has_the_authorizer", "Path: /v1/self}", "Path: /v1/self, Auth: {Authorizer: NONE, ApiKeyRequired: false}}"),
    ("what_it_imports_is_exported", '"${AWS::StackName}-IssueFunctionArn"', '"${AWS::StackName}-Issue"'),
]
