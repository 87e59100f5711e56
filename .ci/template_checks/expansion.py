"""template.yaml as SAM expands it, and the few ways in which the checks look at it."""

import logging
import os
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent.parent


class NoManagedPolicies:
    """SAM asks AWS for policy names; this template uses none of them."""

    def load(self):
        return {}


class Template:
    """One expansion."""

    def __init__(self, text):
        self.text = text
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

    def output(self, name):
        return self.expanded["Outputs"].get(name, {})

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
