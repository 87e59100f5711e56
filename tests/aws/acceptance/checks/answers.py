"""What answers look like, whatever they say."""

from __future__ import annotations

from ..outcome import Skipped, expect, require
from ..redact import random_part
from ..run import Run, check
from ..wire import Response

PROBLEM = "application/problem+json"


@check(look="GatewayResponses in template.yaml. On AWS it was not verified that they can set these headers.")
def error_labels(run: Run) -> None:
    """Every error is application/problem+json with title, status, code and detail, and a 401 says how to do better."""
    key = run.keys.issue(scopes=["read"])
    limited = run.keys.issue(limits=[{"requests": 1, "per": run.keys.month()}])
    run.keys.use(limited.secret)
    large = {"name": "x" * 65_536}
    answers: list[tuple[str, Response, int]] = [
        ("no key", run.wire.request("GET", "/example"), 401),
        ("not allowed", run.keys.use(key.secret, "POST"), 403),
        ("over the limit", run.keys.use(limited.secret), 429),
        ("no such route", run.keys.admin("GET", "/nowhere"), 404),
        ("no such key", run.keys.admin("GET", "/v1/keys/key_0123456789abcdefghijkl"), 404),
        ("not JSON", run.keys.admin("POST", "/v1/keys", b"{"), 400),
        ("too large", run.keys.admin("POST", "/v1/keys", large), 413),
    ]
    for what, answer, status in answers:
        expect(answer, status, when=what)
        label = answer.header("Content-Type")
        require(label.partition(";")[0].strip() == PROBLEM, f"{what}: the Content-Type is {label!r} instead of {PROBLEM}")
        missing = {"title", "status", "code", "detail"} - answer.document.keys()
        require(not missing, f"{what}: the problem has no {', '.join(sorted(missing))}")
        require(answer.document["status"] == status, f"{what}: the body says {answer.document['status']} and not {status}")
    challenge = answers[0][1].header("WWW-Authenticate")
    require("x-api-key" in challenge.lower(), f"the WWW-Authenticate of a 401 is {challenge!r} and names no X-API-Key")


@check(look="shared/src/http.rs sets the header for every answer of a function.")
def secrets_are_shown_once(run: Run) -> None:
    """Answers with a secret may not be stored by any cache, and no later answer shows the secret again."""
    key = run.keys.issue(environment="live")
    rotated = expect(run.keys.try_rotate(key), 200, when="rotating")
    shown = expect(run.keys.admin("GET", key.path), 200)
    listed = expect(run.keys.list(run.keys.owner), 200)
    used = expect(run.keys.use(key.secret), 200)
    for what, answer in [("issue", key.issued), ("rotate", rotated), ("show", shown), ("list", listed), ("use", used)]:
        require("no-store" in answer.header("Cache-Control"), f"{what}: Cache-Control is {answer.header('Cache-Control')!r}")
    secrets = [key.secret, str(rotated.document["secret"])]
    for what, answer in [("show", shown), ("list", listed), ("use", used)]:
        for secret in secrets:
            require(random_part(secret).encode() not in answer.body, f"{what} shows a secret again")
    require(secrets[0].encode() not in rotated.body, "rotating shows the old secret again")


@check(look="MISSING_AUTHENTICATION_TOKEN in template.yaml is what API Gateway calls an unknown route.")
def unknown_route(run: Run) -> None:
    """A route or method that does not exist is 404 no_such_route, with and without a key."""
    for method, path in [("GET", "/nowhere"), ("PUT", "/v1/keys"), ("DELETE", "/v1/keys"), ("GET", "/")]:
        expect(run.keys.admin(method, path), 404, "no_such_route", when=f"{method} {path}")
        expect(run.wire.request(method, path), 404, "no_such_route", when=f"{method} {path} without a key")
    key = run.keys.admin("GET", "/v1/keys/key_0123456789abcdefghijkl")
    expect(key, 404, "no_such_key", when="a key that does not exist")


@check(look="Something between caller and function may take `If-Match` or `ETag` away.")
def if_match(run: Run) -> None:
    """A change on top of a version that was not seen is 412 precondition_failed; disabling and revoking work all the same."""
    key = run.keys.issue()
    stale = {"If-Match": expect(run.keys.admin("GET", key.path), 200).header("ETag")}
    require(stale["If-Match"] == '"1"', f"a new key's ETag is {stale['If-Match']!r}")
    changed = expect(run.keys.admin("PATCH", key.path, {"name": "second"}, headers=stale), 200, when="the version that was seen")
    require(changed.header("ETag") == '"2"', f"the ETag after a change is {changed.header('ETag')!r}")
    for method, path in [("PATCH", key.path), ("POST", f"{key.path}/enable"), ("POST", f"{key.path}/rotate")]:
        answer = run.keys.admin(method, path, {}, headers=stale)
        expect(answer, 412, "precondition_failed", when=f"{method} {path} with a version that is gone")
    expect(run.keys.admin("POST", f"{key.path}/disable", headers=stale), 200, when="disabling with a version that is gone")


@check(look="`Cors` of the API in template.yaml; its preflight must not have the default authorizer.")
def preflight(run: Run) -> str | None:
    """A browser's preflight needs no key and says who may call; what follows it can be read by that browser."""
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key",
    }
    if run.wire.request("OPTIONS", "/v1/keys", headers=asked).status == 404:
        raise Skipped("no preflight is answered here: the deployment has no CORS")
    for path in ("/v1/keys", "/example"):
        answer = run.wire.request("OPTIONS", path, headers=asked)
        require(200 <= answer.status < 300, f"the preflight of {path} without a key is answered by {answer.describe()}")
        require(answer.header("Access-Control-Allow-Origin"), f"the preflight of {path} has no Access-Control-Allow-Origin")
        allowed = answer.header("Access-Control-Allow-Headers").lower()
        require("x-api-key" in allowed or allowed.strip() == "*", f"the preflight of {path} does not allow X-API-Key")
        methods = answer.header("Access-Control-Allow-Methods")
        require("GET" in methods or methods.strip() == "*", f"the preflight of {path} does not allow GET")
    # Without it, a browser hides the answer from the page: the caller sees a broken network instead of a 401.
    key = run.keys.issue()
    origin = {"Origin": asked["Origin"]}
    for what, answer in [
        ("a 200", run.wire.request("GET", "/example", key=key.secret, headers=origin)),
        ("a 401", run.wire.request("GET", "/example", headers=origin)),
        ("a 403", run.wire.request("GET", "/v1/keys", key=key.secret, headers=origin)),
    ]:
        if not answer.header("Access-Control-Allow-Origin"):
            run.find(f"{what} has no Access-Control-Allow-Origin: pages can't read it")
    return None
