"""http-api.yaml: the routes of template.yaml once more, and what an HTTP API has to do differently to be as closed."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from .api import RATE_HEADERS, REQUEST_HEADERS, condition, not_free_of_keys
from .console import TAG
from .expansion import ROOT, differences, listed

# What `ANY` of template.yaml is here: that would take the preflight of a browser too, and the authorizer would refuse it.
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# What stays the REST API's: the console shows why a request was refused, and an HTTP API never says.
REST_ONLY = {"ConsoleFunction"}
STAGE_VARIABLES = {"routes": "management"}
ACCESS_LOG_MAY_HOLD = {
    "requestId", "requestTimeEpoch", "identity.sourceIp", "routeKey", "status", "error.responseType", "authorizer.keyId",
    "authorizer.code", "authorizer.error", "integrationStatus", "integrationLatency", "responseLatency",
}  # fmt: skip
HELD_BACK = {
    "ThrottlingRateLimit": {"Ref": "KeylessRequestsPerSecond"}, "ThrottlingBurstLimit": {"Ref": "KeylessRequestsPerSecond"},
}  # fmt: skip


class HttpApi:
    """http-api.yaml as written, which is as it is deployed, beside the template whose functions it uses."""

    def __init__(self, text, template):
        self.text, self.template = text, template
        self.source = yaml_parse(text)
        self.resources = self.source["Resources"]

    def of_type(self, kind):
        return {name: r for name, r in self.resources.items() if r["Type"] == f"AWS::{kind}"}

    def properties(self, name):
        return self.resources.get(name, {}).get("Properties", {})

    def wanted(self):
        """Route key → (function, whether it is open, condition), as template.yaml has it."""
        routes = {}
        for route, operation in self.template.methods():
            integration = operation["x-amazon-apigateway-integration"]
            if integration["type"] == "mock":
                continue  # a preflight, which an HTTP API answers by itself
            verb, path = route.split(" ")
            function = re.search(r"\$\{(\w+)\.Arn\}", json.dumps(integration["uri"]))[1]
            if function in REST_ONLY:
                continue
            only_if = condition(self.template.api()["paths"][path])
            for method in METHODS if verb == "ANY" else [verb]:
                routes[f"{method} {path}"] = (function, not operation.get("security"), only_if)
        return routes

    def routes(self):
        """(logical id, route key, properties) of each route."""
        for name, route in self.of_type("ApiGatewayV2::Route").items():
            yield name, route["Properties"].get("RouteKey"), route["Properties"]


def imported(export):
    return {"Fn::ImportValue": {"Fn::Sub": f"${{ApiKeysStack}}-{export}"}}


def routes_are_those_of_the_template(http_api):
    found = {}
    for name, key, properties in http_api.routes():
        if key in found:
            yield f"{name}: {key} is there twice"
        integration = properties.get("Target", {}).get("Fn::Sub", "").removeprefix("integrations/${").removesuffix("}")
        uri = json.dumps(http_api.properties(integration).get("IntegrationUri"))
        function = re.search(r"\$\{ApiKeysStack\}-(\w+)Arn", uri)
        conditions = {http_api.resources.get(part, {}).get("Condition") for part in (name, integration)}
        only_if = conditions.pop() if len(conditions) == 1 else sorted(map(str, conditions))
        found[key] = (function and function[1], only_if)
    wanted = {key: (function, only_if) for key, (function, _, only_if) in http_api.wanted().items()}
    yield from differences("routes of http-api.yaml", wanted, found)


def every_route_has_the_authorizer(http_api):
    """But those that template.yaml leaves open too. A route without one would let anybody in."""
    open_routes = {key for key, (_, is_open, _) in http_api.wanted().items() if is_open}
    for name, key, properties in http_api.routes():
        auth = (properties.get("AuthorizationType"), properties.get("AuthorizerId"))
        if key in open_routes and auth != ("NONE", None):
            yield f"{name}: {key} needs no key in template.yaml; write AuthorizationType: NONE and no AuthorizerId"
        if key not in open_routes and auth != ("CUSTOM", {"Ref": "Authorizer"}):
            yield f"{name}: authorization of {key} is {auth}, expected CUSTOM by Authorizer"


def open_routes_are_held_back(http_api):
    """Nothing counts their uses. The stage can only name routes that exist, so it has to wait for them."""
    stage = http_api.resources["Stage"]
    open_routes = {key: name for name, key, properties in http_api.routes() if properties.get("AuthorizationType") == "NONE"}
    settings = stage["Properties"].get("RouteSettings", {})
    yield from differences("Stage: RouteSettings", dict.fromkeys(open_routes, HELD_BACK), settings)
    for name in sorted(set(open_routes.values()) - set(listed(stage.get("DependsOn", [])))):
        yield f"Stage: DependsOn lacks {name}"
    default = stage["Properties"].get("DefaultRouteSettings", {})
    for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        if default.get(limit) != {"Ref": "RequestsPerSecond"}:
            yield f"Stage: {limit} of every route is {default.get(limit)!r}"


def simple_verdicts_are_never_cached(http_api):
    authorizers = http_api.of_type("ApiGatewayV2::Authorizer")
    if list(authorizers) != ["Authorizer"]:
        yield f"expected one authorizer, Authorizer; found {sorted(authorizers)}"
    found = dict(authorizers.get("Authorizer", {}).get("Properties", {}))
    uri = found.pop("AuthorizerUri", None)
    expected = {
        "ApiId": {"Ref": "Api"}, "Name": "Keys", "AuthorizerType": "REQUEST", "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True, "AuthorizerResultTtlInSeconds": 0,
    }  # fmt: skip
    # An identity source is one too many: API Gateway would insist on it, and the key may be in the header or in the query.
    yield from differences("Authorizer", expected, found)
    if json.dumps(imported("AuthorizerArn")) not in json.dumps(uri):
        yield "Authorizer: its function is not the authorizer of the other stack"


def http_stage_tells_the_authorizer_what_it_is(http_api):
    stages = http_api.of_type("ApiGatewayV2::Stage")
    if list(stages) != ["Stage"]:
        yield f"expected one stage, Stage; found {sorted(stages)}"
    stage = http_api.properties("Stage")
    if stage.get("StageName") != "$default":
        yield f"Stage: is called {stage.get('StageName')!r}, which would be in the path that scopes are matched on"
    yield from differences("Stage: StageVariables", STAGE_VARIABLES, stage.get("StageVariables", {}))


def http_log_holds_no_key(http_api):
    log = http_api.properties("Stage").get("AccessLogSettings", {}).get("Format", "")
    yield from not_free_of_keys(log, ACCESS_LOG_MAY_HOLD)


def pages_may_call_the_http_api(http_api):
    cors = http_api.properties("Api").get("CorsConfiguration", {})
    verbs = {key.split(" ")[0] for _, key, _ in http_api.routes()}
    if cors.get("AllowOrigins") != [{"Ref": "CorsOrigin"}]:
        yield f"CorsConfiguration: AllowOrigins is {cors.get('AllowOrigins')!r}"
    for verb in sorted(verbs - set(cors.get("AllowMethods", []))):
        yield f"CorsConfiguration: does not allow {verb}"
    for header in sorted(REQUEST_HEADERS - set(cors.get("AllowHeaders", []))):
        yield f"CorsConfiguration: does not allow the header {header}"
    # The functions' own list is ignored. Headers of limits never come from this API: its refusals have none.
    if cors.get("ExposeHeaders") != ["ETag"] or RATE_HEADERS & set(cors.get("ExposeHeaders", [])):
        yield f"CorsConfiguration: ExposeHeaders is {cors.get('ExposeHeaders')!r}"
    if cors.get("AllowCredentials"):
        yield "CorsConfiguration: allows cookies, and nothing here is decided by one"


def only_this_api_may_invoke(http_api):
    """One permission for each function: the routes of this API's stage, and the authorizer through this authorizer."""
    arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/"
    functions = {function for function, _, _ in http_api.wanted().values()}
    wanted = {f"{function}Arn": {"Fn::Sub": arn + "${Stage}/*"} for function in functions}
    wanted["AuthorizerArn"] = {"Fn::Sub": arn + "authorizers/${Authorizer}"}
    found = {}
    for name, permission in http_api.of_type("Lambda::Permission").items():
        properties = permission["Properties"]
        export = re.search(r"\$\{ApiKeysStack\}-(\w+)", json.dumps(properties.get("FunctionName")))
        if (properties.get("Action"), properties.get("Principal")) != ("lambda:InvokeFunction", "apigateway.amazonaws.com"):
            yield f"{name}: lets {properties.get('Principal')} do {properties.get('Action')}"
        found[export and export[1]] = properties.get("SourceArn")
    yield from differences("permissions", wanted, found)


def payloads_are_of_format_2(http_api):
    for name, integration in http_api.of_type("ApiGatewayV2::Integration").items():
        properties = integration["Properties"]
        found = (properties.get("IntegrationType"), properties.get("PayloadFormatVersion"))
        if found != ("AWS_PROXY", "2.0"):
            yield f"{name}: is {found}, expected AWS_PROXY with payloads of format 2.0"


def what_it_imports_is_exported(http_api):
    outputs = http_api.template.expanded["Outputs"].values()
    exported = [output["Export"]["Name"]["Fn::Sub"] for output in outputs if "Export" in output]
    exports = {name.removeprefix("${AWS::StackName}-") for name in exported}
    for name in sorted(set(re.findall(r"\$\{ApiKeysStack\}-(\w+)", http_api.text)) - exports):
        yield f"template.yaml exports no {name}"


def it_is_tagged_and_shares_its_parameters(http_api):
    for name in ("Api", "Stage", "AccessLog"):
        tags = http_api.properties(name).get("Tags", {})
        tags = {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else tags
        if not TAG.items() <= tags.items():
            yield f"{name}: its tags are {tags}, expected {TAG}"
    shared = http_api.template.expanded["Parameters"]
    for name, parameter in http_api.source["Parameters"].items():
        if not parameter.get("Description"):
            yield f"{name}: no Description"
        for rule in ("Type", "Default", "AllowedValues", "AllowedPattern"):
            if name in shared and parameter.get(rule) != shared[name].get(rule):
                yield f"{name}: its {rule} is not that of template.yaml"


def http_api_passes_cfn_lint(http_api):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix="http-api-") as file:
        file.write(http_api.text)
        file.flush()
        linter = Path(sys.executable).with_name("cfn-lint")
        command = [linter, "--regions", "eu-central-1", "--template", file.name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        yield (result.stdout + result.stderr).strip()


def read(template):
    return HttpApi((ROOT / "http-api.yaml").read_text(), template)


CHECKS = [
    routes_are_those_of_the_template,
    every_route_has_the_authorizer,
    open_routes_are_held_back,
    simple_verdicts_are_never_cached,
    http_stage_tells_the_authorizer_what_it_is,
    http_log_holds_no_key,
    pages_may_call_the_http_api,
    only_this_api_may_invoke,
    payloads_are_of_format_2,
    what_it_imports_is_exported,
    it_is_tagged_and_shares_its_parameters,
    http_api_passes_cfn_lint,
]
