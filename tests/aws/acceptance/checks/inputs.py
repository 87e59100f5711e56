"""Requests to the management API that are wrong, and what says so."""

from __future__ import annotations

from ..outcome import expect, require
from ..run import Run, check

FUNCTION = "The log of the function issue or manage."


@check(look=FUNCTION)
def invalid_bodies(run: Run) -> None:
    """A body that is not as it has to be is 400 with a code, and names the field at fault."""
    order = {"name": "x", "owner": {"type": "service", "id": run.keys.owner}, "environment": "test", "scopes": ["read"]}
    for body, code, field in [
        (b"{", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b"\xff\xfe", "invalid_json", None),
        ({**order, "scoeps": ["read"]}, "unknown_field", "scoeps"),
        ({**order, "scopes": []}, "invalid_field", "scopes"),
        ({**order, "scopes": ["everything"]}, "invalid_field", "scopes[0]"),
        ({**order, "environment": "prod"}, "invalid_field", "environment"),
        ({**order, "owner": {"type": "team", "id": "x"}}, "invalid_field", "owner.type"),
        ({**order, "limits": [{"requests": 0, "per": "minute"}]}, "invalid_field", "limits[0].requests"),
        ({**order, "ip_allowlist": ["10.0.0.0/33"]}, "invalid_field", "ip_allowlist[0]"),
        ({**order, "expires_at": "2001-01-01T00:00:00Z"}, "invalid_field", "expires_at"),
        ({}, "invalid_field", "name"),
    ]:
        when = f"a body wrong in {field}" if field else "a body that is no JSON object"
        answer = expect(run.keys.admin("POST", "/v1/keys", body), 400, code, when=when)
        require(answer.document.get("field") == field, f"{when}: the answer names {answer.document.get('field')!r}")
    key = run.keys.issue()
    expect(run.keys.admin("PATCH", key.path, b"{"), 400, "invalid_json", when="an update that is no JSON")
    expect(run.keys.admin("POST", f"{key.path}/revoke", {}), 400, "invalid_field", when="revoking without a reason")
    require(run.keys.show(key).get("version") == 1, "a refused change has changed the key")


@check(look=FUNCTION)
def large_bodies(run: Run) -> None:
    """A body of more than 64 KiB is 413 body_too_large."""
    answer = run.keys.admin("POST", "/v1/keys", b'{"name": "' + b"x" * 65_536 + b'"}')
    expect(answer, 413, "body_too_large")
