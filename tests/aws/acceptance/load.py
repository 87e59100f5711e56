"""Many requests at once, and what came of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from .keys import Keys
from .outcome import Failed
from .wire import Lost

# More would measure the client. A check needs requests in every phase, not as many as possible.
PAUSE = 0.02
# What one thread sends at most, should a phase never end.
MOST = 4000


@dataclass(frozen=True)
class Sample:
    """One request: by which thread, with which secret, when, and what came of it."""

    thread: int
    secret: str
    began: float
    ended: float
    status: int
    code: str

    @property
    def outcome(self) -> str:
        """Status and code."""
        return f"{self.status} {self.code}".strip() if self.status else f"no answer ({self.code})"


def send(keys: Keys, thread: int, secret: str) -> Sample:
    """Uses a secret. That no answer came is an outcome too: status 0."""
    began = time.monotonic()
    try:
        answer = keys.use(secret)
    except Lost as lost:
        return Sample(thread, secret, began, time.monotonic(), 0, lost.reason)
    return Sample(thread, secret, answer.began, answer.ended, answer.status, answer.code)


def together(threads: int, work: Callable[[int], None]) -> None:
    """Runs `work` in that many threads, which all begin at the same moment."""
    gate = threading.Barrier(threads)
    failures: list[Exception] = []

    def begin(number: int) -> None:
        try:
            gate.wait(timeout=30)
            work(number)
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failures.append(error)

    # Daemons: an interrupted run does not wait for their requests.
    running = [threading.Thread(target=begin, args=(number,), daemon=True) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


class Load:
    """Threads that use a key over and over while something is done to it."""

    def __init__(self, keys: Keys, threads: int, pick: Callable[[int], str]) -> None:
        self.samples: list[Sample] = []
        self._keys, self._pick, self._stop = keys, pick, threading.Event()
        self._failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        # After a failure nobody looks at the samples, and an interrupted run must not wait for requests that hang.
        for thread in self._threads if failure is None else []:
            thread.join()

    def _work(self, number: int) -> None:
        try:
            for _ in range(MOST):
                self.samples.append(send(self._keys, number, self._pick(number)))
                if self._stop.wait(PAUSE):
                    return
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self._failures.append(error)

    def begun_since(self, moment: float, each: int) -> None:
        """Waits until every thread has begun and ended this many requests after `moment`: without them, a phase proves
        nothing about its thread."""
        last = time.monotonic() + 60
        missing = set(range(len(self._threads)))
        while missing:
            if self._failures:
                raise self._failures[0]
            if time.monotonic() > last:
                raise Failed(f"{len(missing)} of {len(self._threads)} threads got no {each} answers within a minute")
            time.sleep(0.05)
            counts: dict[int, int] = {}
            for sample in self.samples[:]:
                if sample.began >= moment:
                    counts[sample.thread] = counts.get(sample.thread, 0) + 1
            missing = {number for number in missing if counts.get(number, 0) < each}
