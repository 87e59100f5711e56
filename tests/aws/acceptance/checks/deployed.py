"""What only AWS itself can tell: how the API is deployed, and what is in the logs."""

from __future__ import annotations

import re
import time

from ..outcome import CannotBegin, Skipped, expect, require
from ..redact import random_part
from ..run import Run, check

# Log lines arrive late. A run that sees none of its own has proved nothing.
LOG_PATIENCE = 60
# Enough of a secret to be sure that it is one, and short enough to notice one that was cut off.
PIECE = 12
# What anybody else's would look like.
WHOLE = re.compile(r"\b[a-z]{2,8}_(?:live|test)_[0-9A-Za-z]{32}\b")


@check(look="docs/deploy.md, step 3. Deploying again attaches the plan.", needs_stack=True)
def usage_plan(run: Run) -> None:
    """The usage plan of the stage is there and limits nothing: without it, every allowed request is 429."""
    stack = run.stack
    plans = stack.aws("apigateway", "get-usage-plans").get("items", [])
    mine = [
        plan
        for plan in plans
        if any(each.get("apiId") == stack.api and each.get("stage") == stack.stage for each in plan.get("apiStages") or [])
    ]
    require(mine, f"no usage plan has the stage {stack.stage} of the API {stack.api}")
    for plan in mine:
        limited = plan.get("throttle") or plan.get("quota")
        require(not limited, f"the usage plan {plan.get('name')} has a throttle or a quota: {limited}")


@check(look="docs/deploy.md, step 4, and `Auth` of the API in template.yaml.", needs_stack=True)
def every_method_is_guarded(run: Run) -> str:
    """Usage keys come from the authorizer, no verdict is cached, and every method needs both: a limit can't be passed."""
    stack = run.stack
    source = stack.aws("apigateway", "get-rest-api", "--rest-api-id", stack.api).get("apiKeySource")
    require(source == "AUTHORIZER", f"ApiKeySourceType is {source}: callers could bring their own usage keys")
    for each in stack.aws("apigateway", "get-authorizers", "--rest-api-id", stack.api).get("items", []):
        seconds = each.get("authorizerResultTtlInSeconds")
        require(seconds == 0, f"verdicts of {each.get('name')} are cached for {seconds} s: they outlive a revocation")
    found = stack.aws("apigateway", "get-resources", "--rest-api-id", stack.api, "--embed", "methods").get("items", [])
    methods = [
        (f"{name} {each['path']}", method) for each in found for name, method in (each.get("resourceMethods") or {}).items()
    ]
    # A preflight carries no key.
    guarded = [(name, method) for name, method in methods if not name.startswith("OPTIONS ")]
    require(guarded, "the API has no methods")
    for name, method in guarded:
        require(method.get("authorizationType") == "CUSTOM", f"{name} has no authorizer")
        require(method.get("apiKeyRequired") is True, f"{name} needs no usage key: a reached limit would not stop anybody")
    return f"{len(guarded)} methods"


@check(look="MethodSettings of the API in template.yaml.", needs_stack=True)
def gateway_logs_no_requests(run: Run) -> None:
    """API Gateway writes no whole requests into its log: they hold the caller's key."""
    stack = run.stack
    stage = stack.aws("apigateway", "get-stage", "--rest-api-id", stack.api, "--stage-name", stack.stage)
    for path, settings in (stage.get("methodSettings") or {}).items():
        require(not settings.get("dataTraceEnabled"), f"dataTraceEnabled is on for {path}")
        require(settings.get("loggingLevel", "OFF") == "OFF", f"the execution log is on for {path}")


@check(look="The line that holds it; then rotate or revoke whatever was logged.", needs_stack=True)
def logs_hold_no_secret(run: Run) -> str:
    """No log group of the stack holds a secret, nor any part of one that this run has seen."""
    stack, began = run.stack, time.monotonic()
    require(stack.log_groups, "the stack has no log groups")
    # The last thing that this run does: once its line is there, so are the lines before it.
    marker = run.keys.issue()
    expect(run.keys.use(marker.secret), 200)
    # The lines are searched here. A search by AWS would write the secrets into the trail of that search.
    pieces = [random_part(secret)[start : start + PIECE] for secret in run.redactor.secrets for start in (4, 20)]
    while True:
        lines = {group: _lines(run, group) for group in stack.log_groups}
        for group, written in lines.items():
            leaky = sum(bool(WHOLE.search(line)) or any(piece in line for piece in pieces) for line in written)
            require(not leaky, f"{leaky} of {len(written)} lines of {group} hold a secret, or part of one")
        if any(marker.id in line for line in lines.get(stack.resources.get("AuthorizerLog", ""), [])):
            break
        if time.monotonic() - began > LOG_PATIENCE:
            raise Skipped(f"the authorizer's log had no line of the last request within {LOG_PATIENCE} s: nothing is proved")
        run.progress("waiting for log lines")
        time.sleep(5)
    count = sum(len(written) for written in lines.values())
    return f"{count} lines of {len(lines)} log groups, complete after {time.monotonic() - began:.0f} s"


def _lines(run: Run, group: str) -> list[str]:
    # A minute earlier, because the clocks of this machine and of AWS may differ.
    since = str(int((run.began.timestamp() - 60) * 1000))
    try:
        answer = run.stack.aws("logs", "filter-log-events", "--log-group-name", group, "--start-time", since)
    except CannotBegin as reason:  # no right to read it, or too many lines of others: that is no fault of the stack
        raise Skipped(f"{reason}: nothing is proved") from None
    return [str(event.get("message", "")) for event in answer.get("events", [])]
