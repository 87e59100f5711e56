"""How a check ends, other than well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire import Response


class Failed(Exception):
    """A promise is broken."""


class Skipped(Exception):
    """The promise does not apply here; the text says why."""


class CannotBegin(Exception):
    """There is nothing to check: no such stack, no server, no admin key."""


class TimeUp(BaseException):
    """The run has lasted too long. Not an Exception, so that no check takes it for an answer."""


class Interrupted(BaseException):
    """Somebody asked the run to end."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def expect(response: Response, status: int, code: str | None = None, *, when: str = "") -> Response:
    """The response, if it has that status and, where one is given, that code."""
    if response.status != status or (code is not None and response.code != code):
        wanted = f"{status} {code}" if code else str(status)
        raise Failed(f"{when + ': ' if when else ''}expected {wanted}, got {response.describe()}")
    return response


def require(condition: object, complaint: str) -> None:
    """Fails with `complaint` unless the condition holds."""
    if not condition:
        raise Failed(complaint)


def tally(outcomes: Iterable[str]) -> str:
    """How often each outcome came, as `20 × 200, 80 × 429 rate_limited`."""
    counted = sorted(Counter(outcomes).items())
    return ", ".join(f"{count} × {outcome}" for outcome, count in counted) or "nothing"
