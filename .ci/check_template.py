"""Checks what SAM makes of template.yaml: the promises that no linter knows of.

`sam validate` reads the template as written. The methods, roles and stages that reach AWS only exist after SAM has
expanded it, and a slip there (a method without the usage key, say) would open the API rather than break it.
"""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent

# Where each environment variable gets its value. A function that has one has this one.
VALUES = {
    "KEYS_TABLE": {"Ref": "KeysTable"},
    "USAGE_TABLE": {"Ref": "UsageTable"},
    "AUDIT_TABLE": {"Ref": "AuditTable"},
    "PEPPER_SECRET": {"Ref": "PepperSecret"},
    "KEY_PREFIX": {"Ref": "KeyPrefix"},
    "BCRYPT_COST": {"Ref": "BcryptCost"},
    "ALLOW_QUERY_KEY": {"Ref": "AllowQueryKey"},
    "DEFAULT_GRACE_HOURS": {"Ref": "DefaultGraceHours"},
    "RETENTION_DAYS": {"Ref": "RetentionDays"},
    "USAGE_RETENTION_DAYS": {"Ref": "UsageRetentionDays"},
    "AUDIT_RETENTION_DAYS": {"Ref": "AuditRetentionDays"},
    "LOG_LEVEL": {"Ref": "LogLevel"},
    "USAGE_KEY": {"Fn::Sub": "unthrottled-${AWS::StackName}-${AWS::AccountId}"},
}
ISSUING = {
    "KEYS_TABLE", "AUDIT_TABLE", "PEPPER_SECRET", "KEY_PREFIX", "BCRYPT_COST", "RETENTION_DAYS", "AUDIT_RETENTION_DAYS",
    "LOG_LEVEL",
}  # fmt: skip
ENVIRONMENT = {
    "authorizer": {
        "KEYS_TABLE", "USAGE_TABLE", "PEPPER_SECRET", "KEY_PREFIX", "ALLOW_QUERY_KEY", "USAGE_KEY",
        "USAGE_RETENTION_DAYS", "LOG_LEVEL",
    },
    "issue": ISSUING,
    "rotate": ISSUING | {"DEFAULT_GRACE_HOURS"},
    "manage": {"KEYS_TABLE", "AUDIT_TABLE", "RETENTION_DAYS", "AUDIT_RETENTION_DAYS", "LOG_LEVEL"},
    "example": {"LOG_LEVEL"},
}  # fmt: skip

# What each function may do, and to what. Nothing else.
WRITES_KEYS = {
    "KeysTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
    "AuditTable": {"dynamodb:PutItem"},
    "PepperSecret": {"secretsmanager:GetSecretValue"},
}
PERMISSIONS = {
    "authorizer": {
        "KeysTable": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "UsageTable": {"dynamodb:PutItem"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
    },
    "issue": WRITES_KEYS,
    "rotate": WRITES_KEYS,
    "manage": {
        "KeysTable": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "KeysTable/index/by_owner": {"dynamodb:Query"},
        "KeysTable/index/by_status": {"dynamodb:Query"},
        "AuditTable": {"dynamodb:PutItem"},
    },
    "example": {},
}
MANAGED_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"  # added by SAM: writing logs

# CloudFormation makes a new pepper when this changes, and the keys issued with the old one are lost.
GENERATE_PEPPER = {
    "SecretStringTemplate": '{"issue_with": "1"}',
    "GenerateStringKey": "1",
    "PasswordLength": 64,
    "ExcludePunctuation": True,
}
RETAINED = {"KeysTable", "UsageTable", "AuditTable", "PepperSecret"}

STAGE_VARIABLES = {"rateLimitResponse": "usage-key", "routes": "management"}
ACCESS_LOG_MAY_HOLD = {
    "requestId", "requestTimeEpoch", "identity.sourceIp", "httpMethod", "resourcePath", "path", "status",
    "error.responseType", "authorizer.principalId", "authorizer.status", "authorizer.error", "authorizer.latency",
    "integrationLatency", "responseLatency",
}  # fmt: skip
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


class NoManagedPolicies:
    """SAM asks AWS for policy names; this template uses none of them."""

    def load(self):
        return {}


class Template:
    """template.yaml as SAM expands it, and the few ways in which the checks look at it."""

    def __init__(self, text):
        source = yaml_parse(text)
        # The code is uploaded by `sam deploy`. Any address will do for expanding.
        for resource in source["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/code"
        logging.disable(logging.WARNING)  # SAM's notes on its own feature toggles
        os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # SAM expands for a region, without calling it
        self.expanded = transform(source, {}, NoManagedPolicies())
        self.resources = self.expanded["Resources"]

    def of_type(self, kind):
        return {name: r for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, name):
        return self.resources.get(name, {}).get("Properties", {})

    def functions(self):
        """Binary → properties of the function that runs it."""
        return {
            r.get("Metadata", {}).get("BuildProperties", {}).get("Binary", name): r["Properties"]
            for name, r in self.of_type("AWS::Lambda::Function").items()
        }

    def api(self):
        return self.properties("Api")["Body"]

    def methods(self):
        """(route, OpenAPI operation) of each method, whether or not a parameter leaves it out."""
        for path, operations in self.api()["paths"].items():
            for verb, operation in included(operations).items():
                yield f"{verb.replace('x-amazon-apigateway-any-method', 'any').upper()} {path}", included(operation)

    def stage(self):
        return self.properties("ApiStage")


def included(node):
    """A conditional part of the API, as it is when its condition holds."""
    return node["Fn::If"][1] if "Fn::If" in node else node


def listed(value):
    return value if isinstance(value, list) else [value]


def differences(what, expected, found):
    """One message for each name that is missing, unexpected or different."""
    for name in sorted(expected.keys() - found.keys()):
        yield f"{what}: {name} is missing"
    for name in sorted(found.keys() - expected.keys()):
        yield f"{what}: {name} is not expected"
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            yield f"{what}: {name} is {found[name]!r}, expected {expected[name]!r}"


# Each check yields one message per fault. -----------------------------------------------------------------------------


def every_method_has_authorizer_and_usage_key(template):
    """An over-limit request is allowed with an unknown usage key, so a method that requires none would let it in."""
    methods = list(template.methods())
    if not methods:
        yield "the API has no methods"
    for route, operation in methods:
        security = {name for entry in operation.get("security", []) for name in entry}
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
    schemes = template.api().get("components", {}).get("securitySchemes", {})
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


def logs_hold_no_key(template):
    log = template.stage().get("AccessLogSetting", {}).get("Format", "")
    try:
        json.loads(log)
    except ValueError as error:
        yield f"access log: not JSON ({error})"
    for name in re.findall(r"\$([\w.]+)", log):
        if name.removeprefix("context.") not in ACCESS_LOG_MAY_HOLD:
            yield f"access log: ${name} is not known to be free of keys"
    for setting in template.stage().get("MethodSettings") or [{}]:
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


def every_folder_is_one_function(template):
    folders = {manifest.parent.name for manifest in ROOT.glob("functions/*/Cargo.toml")}
    binaries = list(template.functions())
    for name in sorted(folders - set(binaries)):
        yield f"functions/{name}: no function block has Binary: {name}"
    for name in sorted(set(binaries) - folders):
        yield f"Binary: {name}: there is no functions/{name}"
    if len(binaries) != len(template.of_type("AWS::Lambda::Function")):
        yield "two function blocks have the same Binary"


def every_function_has_its_environment(template):
    for name, function in template.functions().items():
        expected = {variable: VALUES[variable] for variable in ENVIRONMENT.get(name, ())}
        yield from differences(name, expected, function.get("Environment", {}).get("Variables", {}))


def every_function_has_its_permissions(template):
    for name, function in template.functions().items():
        role = template.properties(function["Role"]["Fn::GetAtt"][0])
        granted = {}
        for statement in statements(role):
            for resource in listed(statement.get("Resource", "*")):
                granted.setdefault(resource_name(resource), set()).update(listed(statement.get("Action", "*")))
        expected = {resource: sorted(actions) for resource, actions in PERMISSIONS.get(name, {}).items()}
        found = {resource: sorted(actions) for resource, actions in granted.items()}
        yield from differences(f"permissions of {name}", expected, found)
        for policy in role.get("ManagedPolicyArns", []):
            if policy != MANAGED_POLICY:
                yield f"permissions of {name}: managed policy {policy!r}"


def no_policy_has_a_wildcard(template):
    for name, role in template.of_type("AWS::IAM::Role").items():
        for statement in statements(role["Properties"]):
            if {"NotAction", "NotResource"} & statement.keys():
                yield f"{name}: allows everything but something"
            if any("*" in action for action in listed(statement.get("Action", "*"))):
                yield f"{name}: wildcard action {statement.get('Action')!r}"
            if "*" in json.dumps(statement.get("Resource", "*")):
                yield f"{name}: wildcard resource {statement.get('Resource')!r}"
    others = template.of_type("AWS::IAM::Policy") | template.of_type("AWS::IAM::ManagedPolicy")
    for name in others:
        yield f"{name}: permissions belong to a function's own role"


def statements(role):
    for policy in role.get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])


def resource_name(resource):
    """The logical name behind an ARN of this template, with the index if it is one's."""
    match resource:
        case {"Ref": name} | {"Fn::GetAtt": [name, "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace(".Arn}", "")
        case _:
            return json.dumps(resource)


def pepper_never_changes(template):
    found = template.properties("PepperSecret").get("GenerateSecretString", {})
    yield from differences("PepperSecret (NEVER EDIT: it loses every key)", GENERATE_PEPPER, found)


def data_outlives_the_stack(template):
    stateful = template.of_type("AWS::DynamoDB::Table") | template.of_type("AWS::SecretsManager::Secret")
    for name in sorted(RETAINED | stateful.keys()):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if template.resources.get(name, {}).get(policy) != "Retain":
                yield f"{name}: {policy} is not Retain"


def expanded_template_passes_cfn_lint(template):
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="expanded-") as file:
        json.dump(template.expanded, file, indent=1)
        file.flush()
        # W1028: SAM repeats a function's condition inside its routes, where it can't be false any more.
        linter = Path(sys.executable).with_name("cfn-lint")
        command = [linter, "--regions", "eu-central-1", "--ignore-checks", "W1028", "--template", file.name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        yield (result.stdout + result.stderr).strip()


CHECKS = [
    every_method_has_authorizer_and_usage_key,
    one_stage_tells_the_authorizer_what_it_may_do,
    verdicts_are_never_cached,
    usage_plan_is_attached_and_unlimited,
    logs_hold_no_key,
    gateway_responses_are_problems,
    every_folder_is_one_function,
    every_function_has_its_environment,
    every_function_has_its_permissions,
    no_policy_has_a_wildcard,
    pepper_never_changes,
    data_outlives_the_stack,
    expanded_template_passes_cfn_lint,
]


def main():
    try:
        template = Template((ROOT / "template.yaml").read_text())
    except InvalidDocumentException as error:
        print("FAIL SAM can expand the template", *(cause.message for cause in error.causes), sep="\n     ")
        return 1
    failed = False
    for check in CHECKS:
        faults = list(check(template))
        failed |= bool(faults)
        print("FAIL" if faults else "ok  ", check.__name__.replace("_", " "))
        for fault in faults:
            print("    ", fault.replace("\n", "\n      "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
