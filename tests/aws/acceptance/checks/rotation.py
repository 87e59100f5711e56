"""Rotation: never a gap, and never two callers for one key without anybody knowing."""

from __future__ import annotations

import time

from ..keys import Key
from ..load import Load
from ..outcome import Failed, expect, require, tally
from ..run import Run, check
from .limits import first_use
from .refusals import unauthorized

AUDIT = "The authorizer's log says which generation was refused; the key's `generations` say which are live."
GRACE = 4


@check(look=AUDIT)
def rotation_without_a_gap(run: Run) -> str:
    """Whoever uses the newest secret that they know is never refused, however often the key is rotated; while two
    secrets are in use, rotating is 409 rotation_in_progress unless it is forced."""
    key = run.keys.issue()
    first_use(run, key)
    newest = [key.secret]
    with Load(run.keys, 4, lambda _: newest[-1]) as load:
        load.begun_since(time.monotonic(), 2)
        run.progress("rotating")
        newest.append(run.keys.rotate(key, grace_seconds=GRACE))
        load.begun_since(time.monotonic(), 2)
        busy = run.keys.try_rotate(key)
        expect(busy, 409, "rotation_in_progress", when="rotating with the newest secret in use and the older one in grace")
        run.progress("waiting for a grace period to end")
        newest.append(_rotate_after_grace(run, key))
        load.begun_since(time.monotonic(), 2)
        newest.append(run.keys.rotate(key, force=True))
        load.begun_since(time.monotonic(), 2)
    refused = [sample for sample in load.samples if sample.status != 200]
    require(not refused, f"of {len(load.samples)} uses of the newest secret known, some got {tally(s.outcome for s in refused)}")
    for number, secret in enumerate(newest[:2], 1):
        unauthorized(run, secret, f"secret {number} of 4")
    for number, secret in enumerate(newest[2:], 3):
        expect(run.keys.use(secret), 200, when=f"secret {number} of 4")
    return f"{len(load.samples)} uses during 3 rotations"


@check(look=AUDIT)
def lost_rotation(run: Run) -> None:
    """If the answer to a rotation is lost, rotating again replaces the secret that nobody saw; the one in use stays."""
    key = run.keys.issue()
    expect(run.keys.use(key.secret), 200, when="before")
    lost = run.keys.rotate(key)
    seen = run.keys.rotate(key)
    unauthorized(run, lost, "the secret that was replaced unseen")
    expect(run.keys.use(key.secret), 200, when="the secret in use")
    expect(run.keys.use(seen), 200, when="the new secret")


@check(look=AUDIT)
def until_first_use(run: Run) -> None:
    """Rotated with until_first_use, the old secret works until the new one is used, and not once more."""
    key = run.keys.issue()
    secret = run.keys.rotate(key, until_first_use=True)
    for _ in range(2):
        expect(run.keys.use(key.secret), 200, when="the old secret before the first use of the new one")
    expect(run.keys.use(secret), 200, when="the new secret")
    unauthorized(run, key.secret, "the old secret after the first use of the new one")


def _rotate_after_grace(run: Run, key: Key) -> str:
    last = time.monotonic() + GRACE + 5
    while time.monotonic() < last:
        answer = run.keys.try_rotate(key)
        if answer.status == 200:
            return run.keys.secret_of(answer)
        expect(answer, 409, "rotation_in_progress", when="rotating during the grace period")
        time.sleep(0.3)
    raise Failed(f"5 s after a grace period of {GRACE} s, rotating is still refused")
