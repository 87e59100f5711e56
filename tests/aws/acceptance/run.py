"""What a check gets to work with, and the list of all checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .keys import Keys
from .redact import Redactor
from .stack import Stack
from .wire import Wire


@dataclass
class Run:
    """One run against one target."""

    wire: Wire
    keys: Keys
    redactor: Redactor
    stack: Stack | None
    progress: Callable[[str], None]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    findings: list[str] = field(default_factory=list)

    def find(self, text: str) -> None:
        """Something that is not as it should be, and breaks no promise."""
        self.findings.append(text)


@dataclass(frozen=True)
class Check:
    """A promise, and how it is tried."""

    name: str
    promise: str
    look: str
    needs_stack: bool
    try_it: Callable[[Run], str | None]


CHECKS: list[Check] = []


def check(*, look: str, needs_stack: bool = False) -> Callable:
    """Makes a function a check, in the order of the source. Its docstring is the promise; `look` says where to look
    when it is broken."""

    def register(function: Callable[[Run], str | None]) -> Callable[[Run], str | None]:
        promise = " ".join((inspect.getdoc(function) or "").split())
        CHECKS.append(Check(function.__name__.replace("_", "-"), promise, look, needs_stack, function))
        return function

    return register
