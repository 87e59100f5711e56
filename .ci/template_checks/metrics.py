"""The metrics that exist, so that nothing watches one that nobody writes."""

# Written by the functions, by their dimensions. Those with a function's name alone are written by every one.
OWN = {
    ("function",): {
        "duration_ms", "engine_calls", "own_fault", "bcrypt_runs", "cold_start", "audit_lost", "uncertain",
        "unannounced",
    },
    ("function", "outcome"): {"attempts", "requests"},
    ("api_id", "function"): {"allowed"},
}  # fmt: skip
WRITTEN_BY = {
    "attempts": {"AuthorizerFunction"},
    "allowed": {"AuthorizerFunction"},
    "unannounced": {"IssueFunction", "RotateFunction", "ManageFunction"},
    "requests": {"IssueFunction", "RotateFunction", "ManageFunction", "InsightsFunction"},
}
ATTEMPT_OUTCOMES = {
    "allowed", "missing_key", "conflicting_keys", "malformed_key", "unknown_key", "expired_key", "revoked_key",
    "disabled_key", "replaced_key", "scope_not_allowed", "address_not_allowed", "rate_limited", "internal",
}  # fmt: skip

# Written by AWS: the part of them that the template uses, and their dimensions.
AWS = {
    "AWS/Lambda": (("FunctionName",), {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}),
    "AWS/DynamoDB": (("TableName",), {
        "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents",
    }),
    "AWS/ApiGateway": (("ApiName", "Stage"), {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}),
}  # fmt: skip


def faults(template, namespace, name, dimensions):
    """What is wrong with watching this metric. A dimension's value is what the template says, before it is deployed."""
    names = tuple(sorted(dimensions))
    if namespace == "ApiKeys":
        if name not in OWN.get(names, ()):
            yield f"no function writes {name} with the dimensions {names}"
        function = dimensions.get("function", {}).get("Ref")
        if function not in WRITTEN_BY.get(name, {function}):
            yield f"{function} does not write {name}"
        if name == "attempts" and dimensions.get("outcome") not in ATTEMPT_OUTCOMES:
            yield f"no attempt has the outcome {dimensions.get('outcome')!r}"
    elif (names, True) != (AWS.get(namespace, ((), ()))[0], name in AWS.get(namespace, ((), ()))[1]):
        yield f"{namespace} has no {name} with the dimensions {names}"
    kinds = {"FunctionName": "AWS::Lambda::Function", "function": "AWS::Lambda::Function", "TableName": "AWS::DynamoDB::Table"}
    kinds["api_id"] = "AWS::ApiGateway::RestApi"
    for dimension, value in dimensions.items():
        if dimension in kinds and value.get("Ref") not in template.of_type(kinds[dimension]):
            yield f"{dimension} is {value!r}, no {kinds[dimension]} of this template"
    api = {"ApiName": template.properties("Api").get("Name"), "Stage": template.stage()["StageName"]}
    for dimension, value in api.items():
        if dimensions.get(dimension, value) != value:
            yield f"{dimension} is {dimensions[dimension]!r}, expected {value!r}"
