"""Limits and counts: never one too many, and each counted once."""

from __future__ import annotations

import re
from collections import Counter

from ..keys import Key
from ..load import Sample, send, together
from ..outcome import expect, require, tally
from ..run import Run, check

THREADS = 64
REQUESTS = 100
ALLOWED = 20


@check(look="The usage plan and INVALID_API_KEY in template.yaml; docs/deploy.md, steps 3 and 4.")
def limit(run: Run) -> None:
    """A key over its limit is 429 rate_limited, with Retry-After, RateLimit and RateLimit-Policy."""
    month = run.keys.month()
    key = run.keys.issue(limits=[{"requests": 2, "per": month}])
    for number in (1, 2):
        expect(run.keys.use(key.secret), 200, when=f"use {number} of 2")
    answer = expect(run.keys.use(key.secret), 429, "rate_limited", when="use 3 of 2")
    # The 429 is right even if only its static text arrives. What comes out of the authorizer's context is a help to the
    # caller, and was not verified on AWS.
    if not answer.document.get("detail"):
        run.find("the context did not arrive in the body: `detail` is empty")
    for name, form in [
        ("Retry-After", r"[1-9]\d{0,6}"),
        ("RateLimit", rf'"{month}";r=0;t=\d+'),
        ("RateLimit-Policy", rf'"{month}";q=2;w=\d+'),
    ]:
        value = answer.header(name)
        if not value:
            run.find(f"the context did not arrive in the headers: no {name}")
        else:
            require(re.fullmatch(form, value), f"{name} is {value!r}")


@check(
    look="A 500 with code internal may be Lambda's limit of concurrent runs: aws lambda get-account-settings."
    " A 200 too many is a broken promise: keep the authorizer's log. If some are missing that were counted, DynamoDB's"
    " answers came too late: `uncertain` in that log."
)
def limit_under_load(run: Run) -> str:
    """A limit with 20 uses left allows exactly 20 of 100 requests at once; the others are 429 and nothing else."""
    key = run.keys.issue(limits=[{"requests": ALLOWED + 1, "per": run.keys.month()}])
    first_use(run, key)
    samples: list[Sample] = []
    shares = Counter(number % THREADS for number in range(REQUESTS))
    run.progress(f"{REQUESTS} requests in {THREADS} threads")

    def work(number: int) -> None:
        for _ in range(shares[number]):
            samples.append(send(run.keys, number, key.secret))

    together(THREADS, work)
    came = Counter(sample.outcome for sample in samples)
    counted = run.keys.show(key)["total_uses"] - 1
    complaint = f"expected {ALLOWED} × 200 and the rest 429, got {tally(s.outcome for s in samples)}; {counted} were counted"
    wanted = {"200": ALLOWED, "429 rate_limited": REQUESTS - ALLOWED}
    require(came == wanted and counted == ALLOWED, complaint)
    return f"{ALLOWED} of {REQUESTS} allowed, in {THREADS} threads"


@check(look="The authorizer's log: `uncertain` counts uses whose answer from DynamoDB was lost.")
def counted_is_allowed(run: Run) -> str:
    """What is counted is what was allowed, to the one: refusals do not count, and no use is lost among others."""
    threads, each = 8, 10
    allowed = 1 + threads * each
    key = run.keys.issue(limits=[{"requests": 1000, "per": run.keys.month()}, {"requests": 40_000, "per": "minute"}])
    first_use(run, key)
    samples: list[Sample] = []
    run.progress(f"{threads * each} requests in {threads} threads")

    def work(number: int) -> None:
        for turn in range(each):
            samples.append(send(run.keys, number, key.secret))
            if turn % 5 == 0:
                expect(run.keys.use(key.secret, "POST"), 403, "scope_not_allowed", when="a use that must not count")

    together(threads, work)
    require(all(sample.status == 200 for sample in samples), f"expected 200, got {tally(s.outcome for s in samples)}")
    shown = run.keys.show(key)
    counts = {
        "total_uses": shown["total_uses"],
        "uses of its secret": shown["generations"][0]["uses"],
        "its month": next(1000 - limit["remaining"] for limit in shown["limits"] if limit["per"] == "month"),
    }
    wrong = {name: count for name, count in counts.items() if count != allowed}
    require(not wrong, f"{allowed} uses were allowed, and counted as {wrong}")
    require(shown.get("last_used_at"), "last_used_at is not set")
    return f"{allowed} allowed, {allowed} counted"


def first_use(run: Run, key: Key) -> None:
    """By which an instance gets to know a key. An instance on AWS has one request at a time; `cargo run` is one instance
    for all, and would spend seconds on comparing one hash for each of the requests that come at once."""
    expect(run.keys.use(key.secret), 200, when="the first use")
