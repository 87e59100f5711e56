"""From the first request to the last clean-up."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from .keys import LIFETIME, Keys
from .outcome import CannotBegin, Failed, Interrupted, Skipped, TimeUp
from .redact import Redactor
from .report import Report, Result
from .run import Check, Run
from .stack import Stack
from .wire import Lost, Wire

# A run takes one minute, or a few on AWS. Whatever hangs, it ends.
LONGEST_RUN = 15 * 60
LONGEST_CLEAN_UP = 2 * 60
ADMIN_LIFETIME = timedelta(seconds=LONGEST_RUN + LONGEST_CLEAN_UP + 120)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Ends what runs in it by TimeUp: a server that sends a byte now and then outlasts every other timeout."""

    def ring(*_: object) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def listen_for_the_end() -> None:
    """Ctrl-C, a polite kill and a closed terminal end the run in the same way: after cleaning up."""

    def stop(number: int, *_: object) -> None:
        raise Interrupted(128 + number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)


def run_url(url: str, admin: str, checks: list[Check], report: Report, redactor: Redactor) -> int:
    """Checks the API at `url` with an admin key that somebody has made."""
    keys = Keys(Wire(url), redactor)
    keys.take_admin(admin)
    return _run(url, Run(keys.wire, keys, redactor, None, report.progress), checks, report)


def run_stack(name: str, region: str | None, checks: list[Check], report: Report, redactor: Redactor) -> int:
    """Checks a stack with an admin key made by invoking its issuing function."""
    with at_most(LONGEST_RUN):
        stack = Stack(name, region, redactor)
    keys = Keys(Wire(stack.url), redactor)
    return _run(f"{name} ({stack.url})", Run(keys.wire, keys, redactor, stack, report.progress), checks, report)


def _run(target: str, run: Run, checks: list[Check], report: Report) -> int:
    exit_code, trouble = 0, []
    try:
        with at_most(LONGEST_RUN):
            if run.stack:
                made = run.stack.first_key(run.keys.admin_order(ADMIN_LIFETIME))
                run.keys.take_admin(made["secret"], own=made["id"])
            begin(run)
            _each(run, checks, report)
    except CannotBegin as reason:
        trouble.append(str(reason))
    except TimeUp:
        trouble.append(f"the run was ended after {LONGEST_RUN} s, before it was through")
    except Interrupted as interrupted:
        exit_code = interrupted.exit_code
        trouble.append("interrupted before it was through")
    except Exception as error:  # noqa: BLE001 - whatever it is, keys of ours have to go
        trouble.append(f"{type(error).__name__}: {error}")
    left = _clean_up(run.keys, report)
    if left:
        minutes = int(LIFETIME.total_seconds()) // 60
        trouble.append(f"not revoked: {', '.join(left)}. Revoke them, or wait: they expire within {minutes} minutes")
    report.summary(target, trouble)
    failed = trouble or any(result.status == "failed" for result in report.results)
    return exit_code or int(bool(failed))


def begin(run: Run) -> None:
    """Is there an API, does the admin key work, is there something to use keys on?"""
    keys = run.keys
    try:
        answer = keys.list(keys.owner)
        example = keys.admin("GET", "/example")
    except Failed as failed:
        raise CannotBegin(str(failed)) from None
    if answer.status == 401:
        raise CannotBegin(f"the admin key is refused: {answer.describe()}")
    if answer.status == 403:
        raise CannotBegin(f"the key given as ADMIN is not an admin key: {answer.describe()}")
    if answer.status == 429 and not answer.document.get("detail"):
        raise CannotBegin("429 without a detail: the usage plan is not attached to the stage (docs/deploy.md, step 3)")
    if answer.status != 200 or not isinstance(answer.document.get("keys"), list):
        raise CannotBegin(
            f"GET /v1/keys is not answered by a list of keys, but by {answer.describe()}: is this the API's address?"
        )
    if example.status != 200:
        raise CannotBegin(f"GET /example is answered by {example.describe()}: the checks need DeployExample=true")
    keys.set_clock(answer)


def _each(run: Run, checks: list[Check], report: Report) -> None:
    for check in checks:
        report.begin(check)
        run.findings = []
        began = time.monotonic()
        status, text = "failed", "not finished"
        try:
            if check.needs_stack and run.stack is None:
                raise Skipped("needs --stack")
            text = check.try_it(run) or ""
            status = "passed"
        except Skipped as skipped:
            status, text = "skipped", str(skipped)
        except Failed as failed:
            text = str(failed)
        except CannotBegin as reason:
            text = str(reason)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not hide the checks behind it
            text = f"{type(error).__name__}: {error}"
        except TimeUp:
            text = "the run's time was up"
            raise
        except Interrupted:
            status, text = "skipped", "interrupted"
            raise
        finally:
            report.end(Result(check, status, time.monotonic() - began, text, run.findings))


def _clean_up(keys: Keys, report: Report) -> list[str]:
    if not keys.alive():
        return []
    report.progress("revoking what is left")
    try:
        with at_most(LONGEST_CLEAN_UP):
            return keys.clean_up()
    except (TimeUp, Interrupted, Lost):
        return keys.alive()
