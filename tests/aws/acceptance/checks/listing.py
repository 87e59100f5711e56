"""Finding keys again."""

from __future__ import annotations

import time

from ..outcome import Failed, expect, require
from ..run import Run, check

HOW_MANY = 5
# The index follows the table by moments, and no promise says how many.
PATIENCE = 10.0


@check(look="The index by_owner of the table of keys, and the log of the function manage.")
def listing_after_issuing(run: Run) -> str:
    """A new key is in its owner's list within ten seconds, and the pages of the list hold every key exactly once."""
    owner = f"{run.keys.owner}-list"
    issued = [run.keys.issue(owner=owner, name=f"list {number}") for number in range(HOW_MANY)]
    began = time.monotonic()
    wanted = {key.id for key in issued}
    while True:
        page = expect(run.keys.list(owner), 200, when="listing").document
        found = [each["id"] for each in page["keys"]]
        seconds = time.monotonic() - began
        if set(found) == wanted:
            break
        require(seconds < PATIENCE, f"{len(wanted - set(found))} of {HOW_MANY} keys are missing after {PATIENCE:.0f} s")
        run.progress(f"{len(found)} of {HOW_MANY} keys after {seconds:.1f} s")
        time.sleep(0.2)
    walked: list[str] = []
    cursor, pages = {}, 0
    while True:
        page = expect(run.keys.list(owner, limit=2, **cursor), 200, when="the next page").document
        require(len(page["keys"]) <= 2, f"a page of at most 2 has {len(page['keys'])} keys")
        walked += [each["id"] for each in page["keys"]]
        pages += 1
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
        require(pages <= HOW_MANY, f"the list has no end: {pages} pages of 2 for {HOW_MANY} keys")
    require(sorted(walked) == sorted(wanted), f"{HOW_MANY} keys are {len(walked)} in pages, {len(set(walked))} of them different")
    return f"complete after {seconds:.1f} s, in {pages} pages"


@check(look="The log of the function manage.")
def hostile_cursors(run: Run) -> None:
    """A cursor that was not given for this list is 400 invalid_cursor, and a bad page size or parameter 400."""
    owner, other = f"{run.keys.owner}-cursor", f"{run.keys.owner}-other"
    for _ in range(2):
        run.keys.issue(owner=owner)
    good = _first_cursor(run, owner)
    flipped = ("A" if good[0] != "A" else "B") + good[1:]
    hostile = ["", "x", "../../etc/passwd", "' OR 1=1", "é" * 20, good[:-1], good + "AAAA", flipped, "A" * 3000]
    for cursor in hostile:
        answer = run.keys.list(owner, cursor=cursor)
        expect(answer, 400, "invalid_cursor", when=f"a cursor of {len(cursor)} characters")
    expect(run.keys.list(other, cursor=good), 400, "invalid_cursor", when="another list's cursor")
    for limit in ("0", "101", "-1", "many", "1e1", ""):
        expect(run.keys.list(owner, limit=limit), 400, "invalid_field", when=f"limit={limit}")
    expect(run.keys.list(owner, sort="name"), 400, "unknown_field", when="a parameter that does not exist")
    expect(run.keys.admin("GET", "/v1/keys"), 400, "invalid_field", when="a list of nothing in particular")


def _first_cursor(run: Run, owner: str) -> str:
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        cursor = expect(run.keys.list(owner, limit=1), 200, when="listing").document["next_cursor"]
        if cursor:
            return cursor
        time.sleep(0.2)
    raise Failed(f"two keys do not make two pages of one within {PATIENCE:.0f} s")
