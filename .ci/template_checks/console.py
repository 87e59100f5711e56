"""What people see of the stack in AWS's console: its parameters, its tags, and how it would be published."""

import re
import tomllib

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from .expansion import ROOT, differences

TAG = {"application": "api-keys"}

# What the Serverless Application Repository accepts.
PUBLISHED = {
    "Name": r"[a-zA-Z0-9-]{1,140}",
    "Description": r".{1,256}",
    "Author": r"(?=.{1,127}$)[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?",
    "SpdxLicenseId": r"MIT|Apache-2[.]0",
    "LicenseUrl": r"LICENSE-.*",
    "ReadmeUrl": r"README[.]md",
    "SemanticVersion": r"[0-9]+[.][0-9]+[.][0-9]+",
}


def every_parameter_is_explained_once(template):
    interface = template.expanded["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    for name, parameter in template.expanded["Parameters"].items():
        if grouped.count(name) != 1:
            yield f"{name}: in {grouped.count(name)} groups, expected one"
        if not parameter.get("Description"):
            yield f"{name}: no Description"
        if not interface["ParameterLabels"].get(name, {}).get("default"):
            yield f"{name}: no label"
    for name in sorted({*grouped, *interface["ParameterLabels"]} - template.expanded["Parameters"].keys()):
        yield f"{name}: grouped or labelled, but there is no such parameter"


def everything_is_tagged(template):
    """Whatever can have tags has ours, so that one filter finds it and one line of the bill is its cost."""
    for name, resource in template.resources.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", resource["Type"]).schema
        if "Tags" in schema["properties"]:
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"].get("Tags", [])}
            if not TAG.items() <= tags.items():
                yield f"{name}: its tags are {tags}, expected {TAG}"


def application_can_be_published(template):
    application = template.expanded["Metadata"]["AWS::ServerlessRepo::Application"]
    for name, pattern in PUBLISHED.items():
        if not re.fullmatch(pattern, str(application.get(name))):
            yield f"{name}: {application.get(name)!r} would be refused"
    for name in ("LicenseUrl", "ReadmeUrl"):
        if not (ROOT / application[name]).is_file():
            yield f"{name}: there is no {application[name]}"
    labels = application["Labels"]
    if len(labels) > 10 or not all(re.fullmatch(r"[a-zA-Z0-9+_:/@-]{1,127}", label) for label in labels):
        yield f"Labels: {labels} would be refused"
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    yield from differences("Metadata", {"SemanticVersion": package["version"]}, {
        "SemanticVersion": application["SemanticVersion"],
    })
    if application["SpdxLicenseId"] not in package["license"].split(" OR "):
        yield f"SpdxLicenseId: {application['SpdxLicenseId']} is not a licence of Cargo.toml: {package['license']}"


CHECKS = [
    every_parameter_is_explained_once,
    everything_is_tagged,
    application_can_be_published,
]
