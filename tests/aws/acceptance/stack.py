"""A deployed stack, through the aws CLI. It is asked, never changed; the one thing made is the first admin key."""

from __future__ import annotations

import json
import os
import subprocess

from .outcome import CannotBegin
from .redact import Redactor

TIMEOUT = 120


class Stack:
    """What a stack's outputs, parameters and resources say."""

    def __init__(self, name: str, region: str | None, redactor: Redactor) -> None:
        self._region, self._redactor = region, redactor
        self.name = name
        described = self.aws("cloudformation", "describe-stacks", "--stack-name", name)["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
        self.parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
        listed = self.aws("cloudformation", "list-stack-resources", "--stack-name", name)["StackResourceSummaries"]
        self.resources = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in listed}
        self.log_groups = [each.get("PhysicalResourceId", "") for each in listed if each["ResourceType"] == "AWS::Logs::LogGroup"]

    @property
    def url(self) -> str:
        """Where the API is."""
        return self._known(self.outputs, "ApiUrl", "output")

    @property
    def api(self) -> str:
        """The id of the REST API."""
        return self._known(self.resources, "Api", "resource")

    @property
    def stage(self) -> str:
        """The name of its stage: the last part of the address."""
        return self.url.rstrip("/").rpartition("/")[2]

    def first_key(self, order: dict) -> dict:
        """A key by direct invocation, which takes IAM permission and no key."""
        function = self._known(self.resources, "IssueFunction", "resource")
        # fileb: means the bytes as they are to both versions of the CLI. The answer goes to a pipe and never to a disk.
        text = self._run(
            ["lambda", "invoke", "--function-name", function, "--payload", "fileb:///dev/stdin", "/dev/stdout"],
            json.dumps(order),
        )
        payload, error = _documents(text)
        secret = payload.get("secret")
        if isinstance(secret, str):
            self._redactor.learn(secret)
        if error or not isinstance(secret, str) or not isinstance(payload.get("id"), str):
            said = payload.get("detail") or payload.get("errorMessage") or "no key"
            raise CannotBegin(f"invoking {function} made no admin key: {self._redactor.clean(str(said))}")
        return payload

    def aws(self, *arguments: str) -> dict:
        """The answer of one aws command."""
        text = self._run(list(arguments))
        try:
            return json.loads(text) if text.strip() else {}
        except ValueError:
            raise CannotBegin(f"aws {' '.join(arguments[:2])} did not answer with JSON") from None

    def _run(self, arguments: list[str], given: str = "") -> str:
        command = ["aws", *arguments, "--output", "json", *(["--region", self._region] if self._region else [])]
        what = f"aws {' '.join(arguments[:2])}"
        try:
            done = subprocess.run(
                command,
                input=given,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
                env={**os.environ, "AWS_PAGER": ""},
            )
        except FileNotFoundError:
            raise CannotBegin("the aws CLI is not installed, and --stack needs it") from None
        except subprocess.TimeoutExpired:
            raise CannotBegin(f"{what} took longer than {TIMEOUT} s") from None
        if done.returncode:
            last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
            raise CannotBegin(self._redactor.clean(f"{what} failed: {''.join(last) or done.returncode}"))
        return done.stdout

    def _known(self, among: dict[str, str], name: str, kind: str) -> str:
        if not among.get(name):
            raise CannotBegin(f"the stack {self.name} has no {kind} {name}: is it one of this template?")
        return among[name]


def _documents(text: str) -> tuple[dict, bool]:
    """What the function answered, and whether that is an error: `aws lambda invoke` prints its own account of the
    invocation behind the answer, without anything between."""
    decoder, at, payload, error = json.JSONDecoder(), 0, {}, False
    while at < len(text):
        try:
            document, end = decoder.raw_decode(text, at)
        except ValueError:
            break
        if isinstance(document, dict) and "StatusCode" in document:
            error = "FunctionError" in document
        elif isinstance(document, dict):
            payload = document
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return payload, error
