"""Slips that the checks have to notice: a check that never fails protects nothing."""

from .expansion import Template

# Name of the check, what the template says, and what a slip would make of it (in the first place that says it).
SLIPS = [
    ("every_method_has_authorizer_and_usage_key", "        ApiKeyRequired: true\n", ""),
    ("every_method_has_authorizer_and_usage_key", "        DefaultAuthorizer: Keys\n", ""),
    ("every_method_has_authorizer_and_usage_key", "ApiKeySourceType: AUTHORIZER", "ApiKeySourceType: HEADER"),
    ("one_stage_tells_the_authorizer_what_it_may_do", "rateLimitResponse: usage-key", "rateLimitResponse: deny"),
    ("verdicts_are_never_cached", "ReauthorizeEvery: 0", "ReauthorizeEvery: 60\n              Headers: [X-API-Key]"),
    ("usage_plan_is_attached_and_unlimited", "Stage: !Ref Api.Stage", "Stage: live"),
    ("usage_plan_is_attached_and_unlimited", "      ApiStages:\n", "      Quota: {Limit: 9}\n      ApiStages:\n"),
    ("logs_hold_no_key", "$context.path", "$context.authorizer.key"),
    ("logs_hold_no_key", "DataTraceEnabled: false", "DataTraceEnabled: true"),
    ("gateway_responses_are_problems", "application/problem+json", "text/plain"),
    ("gateway_responses_are_problems", '"status": 401', '"status": 403'),
    ("gateway_responses_are_problems", "        REQUEST_TOO_LARGE:\n", "        UNSUPPORTED_MEDIA_TYPE:\n"),
    ("every_method_has_authorizer_and_usage_key", "erToCorsPreflight: false", "erToCorsPreflight: true"),
    ("every_method_has_authorizer_and_usage_key", "RequiredToCorsPreflight: false", "RequiredToCorsPreflight: on"),
    ("keyless_methods_are_held_back", "ThrottlingRateLimit: !Ref Keyless", "ThrottlingRateLimit: 1 #"),
    ("keyless_methods_are_held_back", 'ResourcePath: "/~1v1~1keys~1{id}"', 'ResourcePath: "/v1/keys/{id}"'),
    ("keyless_methods_are_held_back", "Path: /v1/keys}", "Path: /v1/clefs}"),
    ("keyless_methods_are_held_back", "- !If\n          - HasExample\n", "- !If\n          - HasTracing\n"),
    ("pages_of_other_origins_may_call", "AllowOrigin: !Sub", "AllowMethods: \"'GET'\"\n        AllowOrigin: !Sub"),
    ("pages_of_other_origins_may_call", ",If-Match", ""),
    ("pages_of_other_origins_may_call", "Access-Control-Allow-Origin: !Sub \"'${CorsOrigin}'\"", "X-Nothing: \"'*'\""),
    ("pages_of_other_origins_may_call", "'Retry-After,", "'"),
    ("every_folder_is_one_function", "{Binary: rotate}", "{Binary: rotation}"),
    ("every_function_has_its_environment", "          BCRYPT_COST: !Ref BcryptCost\n", ""),
    ("every_function_has_its_environment", "PEPPER_SECRET: !Ref PepperSecret", "PEPPER_SECRET: !Ref UsageTable"),
    ("every_function_has_its_permissions", "[dynamodb:GetItem, dynamodb:UpdateItem]", "[dynamodb:GetItem]"),
    ("every_function_has_its_permissions", "      Policies:\n", "      Policies:\n        - AdministratorAccess\n"),
    ("every_function_is_traced_and_sized", "    Tracing: !Ref Tracing\n", ""),
    ("every_function_is_traced_and_sized", "TracingEnabled: !If [HasTracing, true, false]", "TracingEnabled: false"),
    ("every_function_is_traced_and_sized", "      MemorySize: 256 # waits", "      Description: waits"),
    ("every_function_is_traced_and_sized", "MemorySize: 1769 #", "MemorySize: 1769 \n#"),
    ("no_policy_has_a_wildcard", "Action: dynamodb:Query", "Action: dynamodb:*"),
    ("no_policy_has_a_wildcard", "Resource: !Ref PepperSecret", 'Resource: "*"'),
    ("pepper_never_changes", "PasswordLength: 64", "PasswordLength: 65"),
    ("data_outlives_the_stack", "DeletionPolicy: Retain", "DeletionPolicy: Delete"),
    ("logs_go_with_the_stack", "    DeletionPolicy: Delete\n", ""),
    ("logs_go_with_the_stack", "RetentionInDays: !Ref LogRetentionDays", "RetentionInDays: 1"),
    ("every_parameter_is_explained_once", "BcryptCost, AllowQueryKey", "AllowQueryKey"),
    ("every_parameter_is_explained_once", "BcryptCost, AllowQueryKey", "BcryptCost, BcryptCost, AllowQueryKey"),
    ("every_parameter_is_explained_once", "      AllowQueryKey: {default", "      AllowedQueryKey: {default"),
    ("every_parameter_is_explained_once", "    Description: How long audit records are", "#"),
    ("everything_is_tagged", "    Tags: {application: api-keys} #", "#"),
    ("everything_is_tagged", "PropagateTags: true", "PropagateTags: false"),
    ("everything_is_tagged", "      Tags: [{Key: application, Value: api-keys}]\n", ""),
    ("application_can_be_published", "Author: api-keys-contributors", "Author: API keys contributors"),
    ("application_can_be_published", "LICENSE-MIT", "LICENSE-BSD"),
    ("application_can_be_published", "SemanticVersion: ", "SemanticVersion: 9"),
    ("application_can_be_published", "SpdxLicenseId: MIT", "SpdxLicenseId: MIT OR Apache-2.0"),
    ("application_can_be_published", "Labels: [api-keys", "Labels: [api keys"),
    ("every_alarm_watches_what_is_measured", "MetricName: OwnFaults", "MetricName: Faults"),
    ("every_alarm_watches_what_is_measured", "Namespace: ApiKeys", "Namespace: Apikeys"),
    ("every_alarm_watches_what_is_measured", "Value: unknown_key", "Value: unknown"),
    ("every_alarm_watches_what_is_measured", "{Name: ApiId, Value: !Ref Api}", "{Name: ApiId, Value: !Ref UsageKey}"),
    ("every_alarm_watches_what_is_measured", "IF(allowed >= 5", "IF(admitted >= 5"),
    ("every_alarm_watches_what_is_measured", "Id: allowed\n          ReturnData: false\n", "Id: allowed\n"),
    ("every_alarm_watches_what_is_measured", "  Period: 60\n            Metric:", "  Period: 120\n            Metric:"),
    ("every_alarm_says_what_to_do", "      AlarmActions: !If", "      InsufficientDataActions: !If"),
    ("every_alarm_says_what_to_do", "TreatMissingData: notBreaching", "TreatMissingData: missing"),
    ("every_alarm_says_what_to_do", "      AlarmDescription: >-\n", "      AlarmDescription: Trouble\n      X: >-\n"),
    ("no_function_is_unwatched", "Value: !Ref ManageFunction", "Value: !Ref IssueFunction"),
    ("no_function_is_unwatched", "Value: !Ref ExampleFunction", "Value: !Ref IssueFunction"),
    ("alarms_compute_what_they_say", "2 * allowed - SUM", "allowed - SUM"),
    ("alarms_compute_what_they_say", "IF(invoked >= 5", "IF(invoked >= 1"),
    ("alarms_compute_what_they_say", "Threshold: 50", "Threshold: 10"),
    ("dashboard_shows_what_is_measured", '{"widgets": [', '{"widgets": [,'),
    ("dashboard_shows_what_is_measured", ']${Reached', ']${Lost'),
    ("dashboard_shows_what_is_measured", '"${UnreachedAlarm.Arn}",', ""),
    ("dashboard_shows_what_is_measured", '["ApiKeys", "OwnFaults"', '["ApiKeys", "Faults"'),
    ("dashboard_shows_what_is_measured", '"AWS/DynamoDB", "WriteThr', '"AWS/DynamoDB", "Thr'),
    ("dashboard_shows_what_is_measured", '"TableName", "${UsageTable}"', '"TableName", "${PepperSecret}"'),
    ("dashboard_shows_what_is_measured", '"TableName", "${UsageTable}"', '"TableName", "${UsesTable}"'),
    ("dashboard_shows_what_is_measured", '"${ExampleFunction}"', '"${ExampleFunction}'),
    ("dashboard_shows_what_is_measured", 'MetricName=\\"Requests', 'MetricName=\\"Attempts'),
    ("dashboard_shows_what_is_measured", '"x": 8, "y": 3', '"x": 7, "y": 3'),
    ("dashboard_can_be_left_out", "    Condition: HasDashboard\n", ""),
    ("expanded_template_passes_cfn_lint", "{AttributeName: pk, KeyType: HASH}", "{AttributeName: pk, KeyType: FIRST}"),
]


def unnoticed(text, checks):
    by_name = {check.__name__: check for check in checks}
    for name in sorted(by_name.keys() - {name for name, _, _ in SLIPS}):
        yield f"{name}: no slip shows that it can fail"
    for name, says, slip in SLIPS:
        if says not in text:
            yield f"{name}: the template no longer says {says!r}"
        elif not list(by_name[name](Template(text.replace(says, slip, 1)))):
            yield f"{name}: does not notice {slip!r} in place of {says!r}"
