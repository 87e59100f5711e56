"""Who is not let in, and what they are told: the table of README.md, row by row."""

from __future__ import annotations

import time
from datetime import timedelta

from ..keys import Key, never_issued, timestamp, wait_until
from ..outcome import Skipped, expect, require
from ..run import Run, check
from ..wire import Response

AUTHORIZER = "The authorizer's log has one line for each attempt, with the exact reason."
# How long an instance may go on refusing by what it has read before.
SETTLE = 1.2


def unauthorized(run: Run, secret: str | None, when: str) -> None:
    """The one answer to whoever has no key that works."""
    expect(run.wire.request("GET", "/example", key=secret), 401, "unauthorized", when=when)


@check(look="A 200 here means that the method has no authorizer: compare the deployed API with template.yaml.")
def missing_key(run: Run) -> None:
    """A request without a key is 401, and so is one with an empty one."""
    unauthorized(run, None, "no key")
    expect(run.wire.request("GET", "/example", keys=[""]), 401, "unauthorized", when="an empty key")
    expect(run.wire.request("GET", "/v1/keys"), 401, "unauthorized", when="no key, management")


@check(look=AUTHORIZER)
def malformed_key(run: Run) -> None:
    """What does not have the form of a key is 401."""
    secret = run.keys.issue().secret
    for text in ["malformed", secret[:-1], secret + "0", secret[:-1] + "-", "x" + secret, secret.upper(), "x" * 4000]:
        unauthorized(run, text, f"a malformed key of {len(text)} characters")


@check(look=AUTHORIZER)
def unknown_key(run: Run) -> None:
    """A key that was never issued is 401, also when it begins like one that was."""
    secret = run.keys.issue().secret
    unauthorized(run, never_issued(secret), "a key that was never issued")
    other = "a" if secret[-1] != "a" else "b"
    unauthorized(run, secret[:-1] + other, "a key with its last character changed")
    expect(run.keys.use(secret), 200, when="the key itself")


@check(look=AUTHORIZER + " Its clock and this machine's are compared by the header Date.")
def expired_key(run: Run) -> None:
    """A key works until its expiry date and is 401 from then on, without waiting for DynamoDB's TTL."""
    expiry = (run.keys.now() + timedelta(seconds=7)).replace(microsecond=0)
    secret = run.keys.issue(expires_at=timestamp(expiry)).secret
    answer = run.keys.use(secret)
    if run.keys.now() < expiry - timedelta(seconds=2):
        expect(answer, 200, when="before the expiry date")
    else:
        run.find("the answers took so long that the key could not be used before its expiry date")
    run.progress("waiting for an expiry date")
    # The header Date, which we know the server's time by, has whole seconds.
    wait_until(run.keys, expiry + timedelta(seconds=2))
    unauthorized(run, secret, "after the expiry date")


@check(look=AUTHORIZER)
def revoked_key(run: Run) -> None:
    """A revoked key is 401 with the next request, stays revoked, and can be revoked again."""
    key = run.keys.issue()
    expect(run.keys.use(key.secret), 200, when="before")
    run.keys.revoke(key)
    unauthorized(run, key.secret, "after revoking")
    again = run.keys.revoke(key)
    require(again.document.get("status") == "revoked", "revoking twice does not answer with a revoked key")
    for change in ("enable", "disable", "rotate"):
        expect(run.keys.admin("POST", f"{key.path}/{change}"), 409, "key_revoked", when=f"{change} of a revoked key")
    expect(run.keys.admin("PATCH", key.path, {"name": "x"}), 409, "key_revoked", when="update of a revoked key")
    unauthorized(run, key.secret, "after all that")


@check(look=AUTHORIZER)
def disabled_key(run: Run) -> None:
    """A disabled key is 401 with the next request, and works again within a second of being enabled."""
    key = run.keys.issue()
    expect(run.keys.use(key.secret), 200, when="before")
    run.keys.disable(key)
    unauthorized(run, key.secret, "disabled")
    run.keys.enable(key)
    settle()
    expect(run.keys.use(key.secret), 200, when="enabled again")


@check(look=AUTHORIZER)
def replaced_secret(run: Run) -> None:
    """After a rotation with a grace of 0 seconds, the old secret is 401 and the new one works, at once."""
    key = run.keys.issue()
    expect(run.keys.use(key.secret), 200, when="before")
    secret = run.keys.rotate(key, grace_seconds=0)
    expect(run.keys.use(secret), 200, when="the new secret")
    unauthorized(run, key.secret, "the old secret")


@check(look=AUTHORIZER)
def scope(run: Run) -> None:
    """What a key's scopes do not allow is 403 scope_not_allowed, for each method by itself."""
    reading, writing = run.keys.issue(scopes=["read"]), run.keys.issue(scopes=["write"])
    custom = run.keys.issue(scopes=["GET /example/reports/{id}"])
    for key, method, path, allowed in [
        (reading, "GET", "/example", True),
        (reading, "POST", "/example", False),
        (reading, "DELETE", "/example", False),
        (writing, "POST", "/example", True),
        (writing, "GET", "/example", False),
        (writing, "DELETE", "/example", False),
        (custom, "GET", "/example/reports/7", True),
        (custom, "GET", "/example/reports", False),
        (custom, "POST", "/example/reports/7", False),
    ]:
        answer = run.keys.use(key.secret, method, path)
        when = f"{method} {path} with {key.issued.document['scopes']}"
        expect(answer, 200, when=when) if allowed else expect(answer, 403, "scope_not_allowed", when=when)


@check(look=AUTHORIZER + " Behind CloudFront or a proxy, the address is the proxy's.")
def address(run: Run) -> None:
    """A key with an allowlist is 403 address_not_allowed from anywhere else, whatever X-Forwarded-For says."""
    # A network that exists in documentation only: nobody calls from there.
    elsewhere = run.keys.issue(ip_allowlist=["192.0.2.0/24"]).secret
    for headers in [{}, {"X-Forwarded-For": "192.0.2.1"}]:
        answer = run.wire.request("GET", "/example", key=elsewhere, headers=headers)
        expect(answer, 403, "address_not_allowed", when=f"from elsewhere {' '.join(headers)}".strip())
    anywhere = run.keys.issue(ip_allowlist=["0.0.0.0/0", "::/0"]).secret
    expect(run.keys.use(anywhere), 200, when="from an allowed address")


@check(look=AUTHORIZER + " The parameter is AllowQueryKey.")
def query_key(run: Run) -> str | None:
    """A key is taken from the query parameter api_key too, unless that is switched off."""
    key = run.keys.issue()
    answer = query(run, key)
    if answer.status == 401 and not (run.stack and run.stack.parameters.get("AllowQueryKey") == "true"):
        raise Skipped("a key in the query is refused here: AllowQueryKey=false, by the looks of it")
    expect(answer, 200, when="a key in the query")
    unknown = run.wire.request("GET", "/example", query={"api_key": never_issued(key.secret)})
    expect(unknown, 401, "unauthorized", when="an unknown key in the query")


@check(look=AUTHORIZER)
def two_keys(run: Run) -> str | None:
    """Two different keys in one request are 401, whichever of them works; the same one twice is one key."""
    one, other = run.keys.issue(), run.keys.issue()
    twice = run.wire.request("GET", "/example", keys=[one.secret, other.secret])
    expect(twice, 401, "unauthorized", when="two keys in two headers")
    expect(run.wire.request("GET", "/example", keys=[one.secret] * 2), 200, when="one key in two headers")
    if query(run, one).status == 401:
        return "in headers; a key in the query is refused here"
    both = run.wire.request("GET", "/example", key=one.secret, query={"api_key": other.secret})
    expect(both, 401, "unauthorized", when="one key in the header and another in the query")
    same = run.wire.request("GET", "/example", key=one.secret, query={"api_key": one.secret})
    expect(same, 200, when="one key in the header and in the query")
    return None


@check(look="The stage variable `routes = management` makes the authorizer ask for admin; is it deployed?")
def management_needs_admin(run: Run) -> None:
    """Every management route is 403 scope_not_allowed for a key without admin, even about itself, and does nothing."""
    key = run.keys.issue(scopes=["read", "write", "delete"])
    for method, path in [
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
        ("GET", key.path),
        ("PATCH", key.path),
        *(("POST", f"{key.path}/{change}") for change in ("rotate", "disable", "enable", "revoke")),
    ]:
        answer = run.wire.request(method, path, key=key.secret, body=None if method == "GET" else {})
        expect(answer, 403, "scope_not_allowed", when=f"{method} {path.replace(key.id, '{id}')}")
    shown = run.keys.show(key)
    require((shown.get("version"), shown.get("status")) == (1, "active"), "the key was changed by somebody without admin")


def query(run: Run, key: Key) -> Response:
    """A request with the key in the query."""
    return run.wire.request("GET", "/example", query={"api_key": key.secret})


def settle() -> None:
    """Whoever was refused a moment ago may be refused for up to a second more."""
    time.sleep(SETTLE)
