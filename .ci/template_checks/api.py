"""The API: who may call which method, what a refusal looks like, and what is logged of a request."""

import json
import re

from .expansion import differences, included
from .functions import VALUES

STAGE_VARIABLES = {"rateLimitResponse": "usage-key", "routes": "management"}
ACCESS_LOG_MAY_HOLD = {
    "requestId", "extendedRequestId", "requestTimeEpoch", "identity.sourceIp", "httpMethod", "resourcePath", "status",
    "error.responseType", "authorizer.principalId", "authorizer.status", "authorizer.error", "authorizer.latency",
    "integrationLatency", "responseLatency",
}  # fmt: skip
# What a page may have to send, and what it may have to read.
REQUEST_HEADERS = {"X-API-Key", "Content-Type", "If-Match", "Idempotency-Key"}
RATE_HEADERS = {"Retry-After", "RateLimit", "RateLimit-Policy"}
# Methods of functions that anybody may call without a key: they show what holds nothing of anybody's.
KEYLESS = {"GET /console", "GET /console/{file+}", "GET /v1/openapi.json"}
# Status and code of the errors that API Gateway answers by itself; None keeps the status of the error.
GATEWAY_RESPONSES = {
    "UNAUTHORIZED": (401, "unauthorized"),
    "ACCESS_DENIED": (403, "$context.authorizer.code"),
    "INVALID_API_KEY": (429, "rate_limited"),
    "THROTTLED": (429, "throttled"),
    "QUOTA_EXCEEDED": (429, "throttled"),
    "AUTHORIZER_FAILURE": (500, "internal"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "internal"),
    "API_CONFIGURATION_ERROR": (500, "internal"),
    "INTEGRATION_FAILURE": (504, "unavailable"),
    "INTEGRATION_TIMEOUT": (504, "unavailable"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "no_such_route"),
    "RESOURCE_NOT_FOUND": (404, "no_such_route"),
    "REQUEST_TOO_LARGE": (413, "body_too_large"),
    "DEFAULT_4XX": (None, "bad_request"),
    "DEFAULT_5XX": (None, "internal"),
}


def is_keyless(route, operation):
    """Whether it answers without a key: it is listed, or asked by a browser that has none yet, and API Gateway's own."""
    asked_first = route.startswith("OPTIONS ") and operation["x-amazon-apigateway-integration"]["type"] == "mock"
    return route in KEYLESS or asked_first


def every_method_has_authorizer_and_usage_key(template):
    """An over-limit request is allowed with an unknown usage key, so a method that requires none would let it in."""
    methods = list(template.methods())
    if not methods:
        yield "the API has no methods"
    for route, operation in methods:
        security = {name for entry in operation.get("security", []) for name in entry}
        if is_keyless(route, operation):
            if security:
                yield f"{route}: wants {sorted(security)}, which nobody sends who has no key"
            continue
        if "Keys" not in security:
            yield f"{route}: no authorizer, so anybody may call it"
        if "api_key" not in security:
            yield f"{route}: no ApiKeyRequired, so a limit would not stop anybody"
        if security - {"Keys", "api_key"}:
            yield f"{route}: unknown security {sorted(security - {'Keys', 'api_key'})}"
    if template.properties("Api").get("ApiKeySourceType") != "AUTHORIZER":
        yield "Api: ApiKeySourceType is not AUTHORIZER, so callers could bring the usage key themselves"


def one_stage_tells_the_authorizer_what_it_may_do(template):
    stages = template.of_type("AWS::ApiGateway::Stage")
    if list(stages) != ["ApiStage"]:
        yield f"expected one stage, ApiStage; found {sorted(stages)}"
    yield from differences("stage variables", STAGE_VARIABLES, template.stage().get("Variables", {}))


def verdicts_are_never_cached(template):
    """A cached verdict outlives a revocation; an identity source makes API Gateway insist on header and query."""
    schemes = template.api().get("securityDefinitions", {})
    authorizers = {n: s for n, s in schemes.items() if "x-amazon-apigateway-authorizer" in s}
    if list(authorizers) != ["Keys"]:
        yield f"expected one authorizer, Keys; found {sorted(authorizers)}"
    for name, scheme in authorizers.items():
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        if authorizer.get("type") != "request":
            yield f"{name}: type is {authorizer.get('type')!r}, expected 'request'"
        seconds = authorizer.get("authorizerResultTtlInSeconds")
        if seconds != 0:
            yield f"{name}: authorizerResultTtlInSeconds is {seconds!r}, expected 0"
        if authorizer.get("identitySource"):
            yield f"{name}: has the identity source {authorizer['identitySource']!r}, expected none"


def usage_plan_is_attached_and_unlimited(template):
    value = template.properties("UsageKey").get("Value")
    if value != VALUES["USAGE_KEY"]:
        yield f"UsageKey: its value {value!r} is not the USAGE_KEY of the authorizer"
    plan = template.properties("UsagePlan")
    attached = [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiStage"}}]
    if plan.get("ApiStages") != attached:
        yield f"UsagePlan: ApiStages is {plan.get('ApiStages')!r}, expected {attached!r}"
    for limit in ("Throttle", "Quota"):
        if limit in plan:
            yield f"UsagePlan: has a {limit}, which would stop allowed requests"
    key = {"KeyId": {"Ref": "UsageKey"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "UsagePlan"}}
    yield from differences("UsagePlanKey", key, template.properties("UsagePlanKey"))


def not_free_of_keys(log, may_hold):
    """What is wrong with the format of an access log, which may hold those variables and no others."""
    try:
        json.loads(log)
    except ValueError as error:
        yield f"access log: not JSON ({error})"
    for name in re.findall(r"\$([\w.]+)", log):
        if name.removeprefix("context.") not in may_hold:
            yield f"access log: ${name} is not known to be free of keys"


def logs_hold_no_key(template):
    yield from not_free_of_keys(template.stage().get("AccessLogSetting", {}).get("Format", ""), ACCESS_LOG_MAY_HOLD)
    for setting in map(included, template.stage().get("MethodSettings") or [{}]):
        if setting.get("DataTraceEnabled") is not False or setting.get("LoggingLevel") != "OFF":
            yield "method settings: DataTraceEnabled must be false and LoggingLevel OFF; both log keys"


def gateway_responses_are_problems(template):
    responses = template.api().get("x-amazon-apigateway-gateway-responses", {})
    found = {}
    for name, response in responses.items():
        status = int(response["statusCode"]) if "statusCode" in response else None
        headers = response.get("responseParameters", {})
        if headers.get("gatewayresponse.header.Content-Type") != "'application/problem+json'":
            yield f"{name}: Content-Type is not application/problem+json"
        for content_type, body in response["responseTemplates"].items():
            try:
                problem = json.loads(body.replace("$context.error.messageString", '"message"'))
            except ValueError as error:
                yield f"{name}: the {content_type} body is not JSON ({error})"
                continue
            if not (problem.get("title") and problem.get("detail")):
                yield f"{name}: the body has no title or no detail"
            if problem.get("status") != status:
                yield f"{name}: the body says status {problem.get('status')}, the response {status}"
            found[name] = (status, problem.get("code"))
    yield from differences("gateway responses", GATEWAY_RESPONSES, found)


def keyless_methods_are_held_back(template):
    """Nothing counts their uses, so the stage's throttle is all there is."""
    found = {}
    for entry in template.stage().get("MethodSettings") or []:
        setting = included(entry)
        # Conditional like its method: API Gateway knows no settings of a method that isn't there.
        settings = {name: value for name, value in setting.items() if name not in ("ResourcePath", "HttpMethod")}
        found[setting["HttpMethod"], setting["ResourcePath"]] = (condition(entry), settings)
    found.pop(("*", "/*"), None)
    rate = {"Ref": "KeylessRequestsPerSecond"}
    held_back = {
        "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": rate, "MetricsEnabled": False, "LoggingLevel": "OFF",
        "DataTraceEnabled": False,
    }  # fmt: skip
    expected = {
        (method, "/" + path.replace("/", "~1")): (condition(template.api()["paths"][path]), held_back)
        for method, path in (route.split(" ") for route, operation in template.methods() if is_keyless(route, operation))
    }
    yield from differences("method settings", expected, found)


def condition(node):
    return node["Fn::If"][0] if "Fn::If" in node else None


def pages_of_other_origins_may_call(template):
    """The browser asks about each path, and shows its page only what the answers allow, errors included."""
    origin = {"Fn::Sub": "'${CorsOrigin}'"}
    methods = dict(template.methods())
    for path in template.api()["paths"]:
        answer = methods.get(f"OPTIONS {path}", {}).get("x-amazon-apigateway-integration", {})
        headers = answer.get("responses", {}).get("default", {}).get("responseParameters", {})
        allowed = {name.removeprefix("method.response.header.Access-Control-"): text for name, text in headers.items()}
        if allowed.get("Allow-Origin") != origin:
            yield f"OPTIONS {path}: Allow-Origin is {allowed.get('Allow-Origin')!r}"
        for header in REQUEST_HEADERS - quoted(allowed.get("Allow-Headers")):
            yield f"OPTIONS {path}: does not allow the header {header}"
        verbs = {route.split(" ")[0] for route in methods if route.split(" ")[1] == path}
        for verb in ({"GET", "POST", "DELETE"} if "ANY" in verbs else verbs) - quoted(allowed.get("Allow-Methods")):
            yield f"OPTIONS {path}: does not allow {verb}"
    for name, response in template.api().get("x-amazon-apigateway-gateway-responses", {}).items():
        parameters = response.get("responseParameters", {})
        headers = {header.removeprefix("gatewayresponse.header."): text for header, text in parameters.items()}
        if headers.get("Access-Control-Allow-Origin") != origin:
            yield f"{name}: Access-Control-Allow-Origin is {headers.get('Access-Control-Allow-Origin')!r}"
        hidden = RATE_HEADERS & headers.keys() - quoted(headers.get("Access-Control-Expose-Headers"))
        for header in hidden:
            yield f"{name}: {header} is not exposed, so a page can't read it"


def quoted(text):
    """The items of a fixed header's value, which the template writes in quotes of its own."""
    return set((text or "").strip("'").split(","))


CHECKS = [
    every_method_has_authorizer_and_usage_key,
    one_stage_tells_the_authorizer_what_it_may_do,
    verdicts_are_never_cached,
    usage_plan_is_attached_and_unlimited,
    logs_hold_no_key,
    gateway_responses_are_problems,
    keyless_methods_are_held_back,
    pages_of_other_origins_may_call,
]
