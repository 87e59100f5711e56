"""A key in constant use while everything that can be done to it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..load import Load, Sample
from ..outcome import expect, require, tally
from ..run import Run, check
from .limits import first_use
from .refusals import SETTLE

THREADS = 8
# The fewest requests of each thread in each phase.
EACH = 3


@dataclass
class Moments:
    """When each change was asked for, and when it was answered."""

    disable: tuple[float, float]
    enable: tuple[float, float]
    revoke: tuple[float, float]

    def allowed(self, sample: Sample) -> set[str]:
        """What may come of a request made then. One that overlaps a change may come before it or after it."""
        open_, closed = {"200"}, {"401 unauthorized"}
        if sample.began >= self.revoke[1]:
            return closed
        if sample.ended > self.revoke[0]:
            return open_ | closed
        if sample.ended <= self.disable[0] or sample.began >= self.enable[1] + SETTLE:
            return open_
        if sample.began >= self.disable[1] and sample.ended <= self.enable[0]:
            return closed
        return open_ | closed


@check(
    look="The authorizer's log around that time. A 500 may be Lambda's limit of concurrent runs"
    " (aws lambda get-account-settings); a 200 after revoking is a broken promise."
)
def hot_key(run: Run) -> str:
    """A key in use by many can be updated, rotated, disabled, enabled and revoked: no use fails by it, the new secret
    works at once, and no request that begins after revoking was answered gets in, on any thread."""
    keys = run.keys
    key = keys.issue(limits=[{"requests": 40_000, "per": "minute"}])
    first_use(run, key)
    newest = [key.secret]
    # Half of the callers never learn of the new secret: the old one is theirs through its grace.
    with Load(keys, THREADS, lambda thread: newest[-1] if thread % 2 else key.secret) as load:
        load.begun_since(time.monotonic(), EACH)
        run.progress("updating")
        for number in range(5):
            keys.change(key, name=f"hot {number}", metadata={"turn": number}, scopes=["read", "write"][: 1 + number % 2])
        run.progress("rotating")
        secret = keys.rotate(key, grace_seconds=600)
        at_once = keys.use(secret)
        newest.append(secret)
        load.begun_since(time.monotonic(), EACH)
        run.progress("disabling and enabling")
        disable = (time.monotonic(), keys.disable(key).ended)
        load.begun_since(disable[1], EACH)
        enable = (time.monotonic(), keys.enable(key).ended)
        load.begun_since(enable[1] + SETTLE, EACH)
        run.progress("revoking")
        revoke = (time.monotonic(), keys.revoke(key).ended)
        load.begun_since(revoke[1], EACH)
    expect(at_once, 200, when="the new secret, right after rotating")
    moments = Moments(disable, enable, revoke)
    wrong = [sample for sample in load.samples if sample.outcome not in moments.allowed(sample)]
    late = [sample for sample in wrong if sample.began >= revoke[1] and sample.status == 200]
    require(not late, f"{len(late)} requests got in that began after revoking was answered")
    require(not wrong, f"of {len(load.samples)} requests, some got what they must not: {_when(wrong, moments)}")
    allowed = sum(sample.status == 200 for sample in load.samples) + 2  # the first uses of both secrets
    total = keys.show(key)["total_uses"]
    require(total == allowed, f"{allowed} uses were allowed and {total} counted")
    return f"{len(load.samples)} requests, {allowed} allowed and counted"


def _when(samples: list[Sample], moments: Moments) -> str:
    def phase(sample: Sample) -> str:
        if sample.began >= moments.revoke[1]:
            return "after revoking"
        if sample.began >= moments.enable[1]:
            return "after enabling"
        return "while disabled" if sample.began >= moments.disable[1] else "before disabling"

    return tally(f"{sample.outcome} {phase(sample)}" for sample in samples)
