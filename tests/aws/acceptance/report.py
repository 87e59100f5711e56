"""What is printed: a line per check while it goes, a summary, or one JSON document."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

from .redact import Redactor
from .run import Check

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–", "finding": "!"}
PLAIN = {"passed": "ok", "failed": "FAILED", "skipped": "-", "finding": "!"}


@dataclass
class Result:
    """What came of one check."""

    check: Check
    status: str
    seconds: float
    text: str = ""
    findings: list[str] = field(default_factory=list)


class Report:
    """Prints as it goes, and never a secret."""

    def __init__(self, redactor: Redactor, *, as_json: bool) -> None:
        self._redactor, self._as_json = redactor, as_json
        # With --json, standard output is the document and nothing else.
        self._out: TextIO = sys.stderr if as_json else sys.stdout
        self._marks = MARKS if _can_print(self._out, "".join(MARKS.values())) else PLAIN
        self._live = self._out.isatty()
        self._current = ""
        self.results: list[Result] = []
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """A line of its own."""
        self._clear()
        encoding = self._out.encoding or "utf-8"
        self._print(self._redactor.clean(text).encode(encoding, "replace").decode(encoding) + "\n")

    def begin(self, check: Check) -> None:
        """The check that is running now."""
        self._current = check.name
        self.progress("…")

    def progress(self, text: str) -> None:
        """How far it is. Only a terminal can take that back, so only a terminal is shown it."""
        if self._live:
            line = self._redactor.clean(f"  {self._current}: {text}")[:100]
            self._print(f"\r\033[K{line}")

    def end(self, result: Result) -> None:
        """The line of a check that is over."""
        self._current = ""
        result.text = self._redactor.clean(result.text)
        result.findings = [self._redactor.clean(text) for text in result.findings]
        self.results.append(result)
        text = f"  {result.text}" if result.text else ""
        self.say(f"{self._marks[result.status]} {result.check.name:<26} {result.seconds:5.1f} s{text}")
        for finding in result.findings:
            self.say(f"  {self._marks['finding']} {finding}")

    def summary(self, target: str, trouble: list[str]) -> None:
        """How many of each, and where to look."""
        counts = {status: sum(result.status == status for result in self.results) for status in ("passed", "failed", "skipped")}
        findings = sum(len(result.findings) for result in self.results)
        seconds = time.monotonic() - self._began
        if self._as_json:
            document = {
                "target": target,
                **counts,
                "findings": findings,
                "seconds": round(seconds, 1),
                "trouble": [self._redactor.clean(text) for text in trouble],
                "checks": [
                    {
                        "name": result.check.name,
                        "promise": result.check.promise,
                        "status": result.status,
                        "seconds": round(result.seconds, 1),
                        "text": result.text,
                        "findings": result.findings,
                    }
                    for result in self.results
                ],
            }
            print(json.dumps(document, indent=2), flush=True)
        failed = [result for result in self.results if result.status == "failed"]
        if failed:
            self.say("\nWhat to look at next:")
        for result in failed:
            self.say(f"  {result.check.name}: {result.check.promise}\n    → {result.check.look}")
        for text in trouble:
            self.say(f"{self._marks['failed']} {text}")
        noun = "finding" if findings == 1 else "findings"
        self.say(
            f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped, {findings} {noun}"
            f" in {seconds:.0f} s against {target}"
        )

    def _clear(self) -> None:
        if self._live:
            self._print("\r\033[K")

    def _print(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            # Nobody reads any more, as with `| head`. The run goes on to its end, because its keys have to be revoked.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())


def _can_print(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
