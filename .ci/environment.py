"""Prints every environment variable of template.yaml as NAME=VALUE, for `cargo lambda watch --env-file`.

Parameters have their defaults, resources their logical ids. One name has one value in the whole template, which
.ci/check_template.py makes sure of, so that one file serves every function.
"""

import re
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


def main() -> None:
    template = yaml_parse(TEMPLATE.read_text())
    blocks = [template["Globals"]["Function"]]
    blocks += [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    variables = {}
    for block in blocks:
        for name, value in block.get("Environment", {}).get("Variables", {}).items():
            variables[name] = text(name, value, template["Parameters"])
    for name, value in sorted(variables.items()):
        print(f"{name}={value}")


def text(name: str, value: object, parameters: dict) -> str:
    match value:
        case {"Ref": str(target)}:
            return str(parameters.get(target, {}).get("Default", target))
        case {"Fn::Sub": str(pattern)}:
            return re.sub(r"\$\{(?:AWS::)?([^}]+)\}", r"\1", pattern)
        case str() | int():
            return str(value)
    sys.exit(f"{TEMPLATE.name}: {name} has a value that .ci/environment.py does not know: {value}")


if __name__ == "__main__":
    main()
