"""Checks that the APIs of examples/ are protected, as SAM expands them, and stay protected when a key reaches its limit.

Somebody will copy them. A method without the authorizer would be open; a cached verdict would outlive a revocation; and
an API that asks for 429 without requiring usage keys would let every request over a limit through.
"""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import hcl2
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

# What answers 429, and what can only answer 403.
WITH_USAGE_KEY = {"protect-rest-api/template.yaml"}
PROBLEMS = {"UNAUTHORIZED": 401, "ACCESS_DENIED": 403, "INVALID_API_KEY": 429, "AUTHORIZER_FAILURE": 500}


class NoManagedPolicies:
    """SAM asks AWS for policy names; the examples use none of them."""

    def load(self):
        return {}


class Example:
    """A template, as written and as SAM expands it."""

    def __init__(self, path):
        self.name = str(path.relative_to(EXAMPLES))
        # SAM puts a parameter's default into what it expands; without one, the reference stays and can be looked at.
        source = yaml_parse(path.read_text())
        source["Parameters"]["ApiKeysStack"].pop("Default")
        self.expanded = transform(source, {}, NoManagedPolicies())
        self.resources = self.expanded["Resources"]
        self.body = self.resources["Api"]["Properties"]["Body"]
        self.is_rest = self.resources["Api"]["Type"] == "AWS::ApiGateway::RestApi"
        self.limited = self.name in WITH_USAGE_KEY

    def of_type(self, kind):
        return [r["Properties"] for r in self.resources.values() if r["Type"] == kind]

    def methods(self):
        for path, operations in self.body["paths"].items():
            for verb, operation in operations.items():
                yield f"{verb} {path}", operation


def imported(export):
    return {"Fn::ImportValue": {"Fn::Sub": f"${{ApiKeysStack}}-{export}"}}


# Each check yields one message per fault. -----------------------------------------------------------------------------


def verdicts_are_never_cached(example):
    schemes = example.body.get("components", {}).get("securitySchemes", {})
    authorizers = [s["x-amazon-apigateway-authorizer"] for s in schemes.values() if "x-amazon-apigateway-authorizer" in s]
    if len(authorizers) != 1:
        yield f"{len(authorizers)} authorizers instead of one"
    for authorizer in authorizers:
        if authorizer.get("authorizerResultTtlInSeconds") != 0:
            yield "the authorizer's answers are cached"
        if authorizer.get("identitySource"):
            yield "the authorizer has an identity source: header and query would both be needed"
        if authorizer.get("type") != "request":
            yield f"the authorizer's type is {authorizer.get('type')!r}"
        uri = json.dumps(authorizer.get("authorizerUri"))
        if json.dumps(imported("AuthorizerArn")) not in uri:
            yield "the authorizer is not the exported one"
        simple = (authorizer.get("authorizerPayloadFormatVersion"), authorizer.get("enableSimpleResponses"))
        if not example.is_rest and simple != ("2.0", True):
            yield f"payload format and simple responses are {simple}, expected 2.0 and true"


def the_api_may_invoke_the_authorizer(example):
    permissions = [p for p in example.of_type("AWS::Lambda::Permission") if p["FunctionName"] == imported("AuthorizerArn")]
    if len(permissions) != 1:
        yield f"{len(permissions)} permissions to invoke the authorizer, expected one"
    for permission in permissions:
        if (permission["Principal"], permission["Action"]) != ("apigateway.amazonaws.com", "lambda:InvokeFunction"):
            yield f"the permission is {permission['Action']} for {permission['Principal']}"
        text, values = permission["SourceArn"]["Fn::Sub"]
        if not text.endswith(":${__ApiId__}/authorizers/*") or values != {"__ApiId__": {"Ref": "Api"}}:
            yield f"the permission is not for the authorizers of this API alone: {text}"


def every_method_needs_a_key(example):
    methods = list(example.methods())
    if not methods:
        yield "the API has no methods"
    for route, operation in methods:
        security = {name for entry in operation.get("security", []) for name in entry}
        expected = {"Keys", "api_key"} if example.limited else {"Keys"}
        if security != expected:
            yield f"{route}: security is {sorted(security)}, expected {sorted(expected)}"


def a_limit_never_lets_a_request_through(example):
    """All of what makes a 429, or none of it."""
    stages = example.of_type("AWS::ApiGateway::Stage") + example.of_type("AWS::ApiGatewayV2::Stage")
    if len(stages) != 1:
        yield f"{len(stages)} stages, expected one"
    variables = {"rateLimitResponse": "usage-key"} if example.limited else {}
    for stage in stages:
        if stage.get("Variables", {}) != variables:
            yield f"stage variables are {stage.get('Variables', {})}, expected {variables}"
    source = example.resources["Api"]["Properties"].get("ApiKeySourceType")
    if source != ("AUTHORIZER" if example.limited else None):
        yield f"ApiKeySourceType is {source}"
    plans = example.of_type("AWS::ApiGateway::UsagePlan")
    keys = example.of_type("AWS::ApiGateway::UsagePlanKey")
    if not example.limited:
        if plans or keys:
            yield "there is a usage plan, which nothing needs"
        return
    attached = [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiliveStage"}}]
    if [plan.get("ApiStages") for plan in plans] != [attached] or any({"Throttle", "Quota"} & p.keys() for p in plans):
        yield "there has to be one usage plan, of this stage, without throttle and quota"
    key = {"KeyId": imported("UsageKeyId"), "KeyType": "API_KEY", "UsagePlanId": {"Ref": "UsagePlan"}}
    if keys != [key]:
        yield f"the usage plan's keys are {keys}"


def refusals_are_problems(example):
    responses = example.body.get("x-amazon-apigateway-gateway-responses", {})
    expected = {"UNAUTHORIZED", "ACCESS_DENIED"} if example.is_rest else set()
    expected = set(PROBLEMS) if example.limited else expected
    if set(responses) != expected:
        yield f"gateway responses are {sorted(responses)}, expected {sorted(expected)}"
    for name, response in responses.items():
        status = PROBLEMS.get(name)
        if int(response.get("statusCode", status)) != status:
            yield f"{name}: status is {response['statusCode']}"
        if response["responseParameters"].get("gatewayresponse.header.Content-Type") != "'application/problem+json'":
            yield f"{name}: Content-Type is not application/problem+json"
        problem = json.loads(response["responseTemplates"]["application/json"])
        if problem["status"] != status or not (problem["title"] and problem["code"] and problem["detail"]):
            yield f"{name}: {problem}"


def expanded_template_passes_cfn_lint(example):
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="expanded-") as file:
        json.dump(example.expanded, file, indent=1)
        file.flush()
        command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-central-1", "--template", file.name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        yield (result.stdout + result.stderr).strip()


def what_is_imported_is_exported():
    """By template.yaml, under the names that the examples use."""
    outputs = yaml_parse((ROOT / "template.yaml").read_text())["Outputs"].values()
    exports = {output["Export"]["Name"]["Fn::Sub"] for output in outputs if "Export" in output}
    for file in sorted(EXAMPLES.rglob("*")):
        if file.suffix in {".yaml", ".ts", ".tf"}:
            for name in sorted(set(re.findall(r"\$\{[\w.]*(?:S|_s)tack\}-(\w+)", file.read_text()))):
                if f"${{AWS::StackName}}-{name}" not in exports:
                    yield f"{file.relative_to(ROOT)}: template.yaml exports no {name}"


def terraform_is_protected_too():
    text = (EXAMPLES / "terraform/main.tf").read_text()
    blocks = hcl2.loads(text)  # fails if it is no HCL
    resources = {kind.strip('"') for block in blocks["resource"] for kind in block}
    expected = {
        "aws_api_gateway_rest_api", "aws_lambda_permission", "aws_api_gateway_deployment", "aws_api_gateway_stage",
        "aws_api_gateway_usage_plan", "aws_api_gateway_usage_plan_key",
    }  # fmt: skip
    if resources != expected:
        yield f"resources are {sorted(resources)}, expected {sorted(expected)}"
    yield from lacks("terraform/main.tf", text, [
        "authorizerResultTtlInSeconds = 0", 'x-amazon-apigateway-api-key-source = "AUTHORIZER"',
        '{ rateLimitResponse = "usage-key" }', "security = [{ Keys = [] }, { api_key = [] }]", "merge(local.protected, {",
        "execution_arn}/authorizers/*",
    ])  # fmt: skip
    if "identitySource" in text:
        yield "terraform/main.tf: has an identity source"


def cdk_is_protected_too():
    text = (EXAMPLES / "cdk/protect.ts").read_text()
    yield from lacks("cdk/protect.ts", text, [
        "resultsCacheTtl: Duration.seconds(0)", "identitySources: []", "sameEnvironment: true", "apiKeyRequired: true",
        "ApiKeySourceType.AUTHORIZER", "{ rateLimitResponse: 'usage-key' }",
    ])  # fmt: skip


def the_readme_shows_what_is_checked():
    """Its YAML is part of the smallest template, line by line, but for the indentation."""
    readme = (EXAMPLES / "README.md").read_text()
    template = [line.strip() for line in (EXAMPLES / "protect-rest-api/minimal.yaml").read_text().splitlines()]
    blocks = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    if not blocks:
        yield "README.md shows no YAML"
    for block in blocks:
        lines = [line.strip() for line in block.splitlines()]
        if not any(template[at : at + len(lines)] == lines for at in range(len(template))):
            yield f"not in protect-rest-api/minimal.yaml:\n{block}"


def lacks(name, text, parts):
    for part in parts:
        if part not in text:
            yield f"{name}: lacks {part}"


OF_EACH = [
    verdicts_are_never_cached,
    the_api_may_invoke_the_authorizer,
    every_method_needs_a_key,
    a_limit_never_lets_a_request_through,
    refusals_are_problems,
    expanded_template_passes_cfn_lint,
]
OF_ALL = [what_is_imported_is_exported, terraform_is_protected_too, cdk_is_protected_too, the_readme_shows_what_is_checked]


def main():
    logging.disable(logging.WARNING)  # SAM's notes on its own feature toggles
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # SAM expands for a region, without calling it
    templates = sorted(EXAMPLES.glob("protect-*/*.yaml"))
    failed = {"there are three templates"} if len(templates) != 3 else set()
    for path in templates:
        try:
            example = Example(path)
        except InvalidDocumentException as error:
            print(f"FAIL SAM can expand {path.name}", *(cause.message for cause in error.causes), sep="\n     ")
            return 1
        for check in OF_EACH:
            failed |= report(f"{example.name}: {check.__name__}", list(check(example)))
    for check in OF_ALL:
        failed |= report(check.__name__, list(check()))
    return 1 if failed else 0


def report(name, faults):
    print("FAIL" if faults else "ok  ", name.replace("_", " "))
    for fault in faults:
        print("    ", fault.replace("\n", "\n      "))
    return {name} if faults else set()


if __name__ == "__main__":
    sys.exit(main())
