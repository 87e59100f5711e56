"""The command line."""

from __future__ import annotations

import argparse
import os
import sys

from . import checks as _checks  # noqa: F401 - reading them is what lists them
from .outcome import CannotBegin, Interrupted, TimeUp
from .redact import Redactor
from .report import Report
from .run import CHECKS, Check
from .runner import listen_for_the_end, run_stack, run_url
from .wire import Wire

ABOUT = """\
Checks what this system promises against a stack on AWS, or against `cargo run`, over HTTP and as a caller sees it.
It issues keys of its own, uses them one or two thousand times, and revokes them at the end, also after Ctrl-C.
"""
EXAMPLES = """\
examples:
  tests/aws/run --stack api-keys --region eu-central-1
      finds everything through the aws CLI, and makes and revokes an admin key of its own
  read -rs ADMIN; export ADMIN
  tests/aws/run --url http://127.0.0.1:3000
      the admin key comes from the environment: arguments can be read by everybody on the machine
  tests/aws/run --url http://127.0.0.1:3000 --only hot-key limit-under-load

exit code: 0 all passed, 1 something failed, 2 wrong usage; 128 and the signal's number if interrupted, as 130 by Ctrl-C
"""


def main() -> int:
    """Runs what the command line asks for."""
    parser = _parser()
    asked = parser.parse_args()
    if asked.list:
        for check in CHECKS:
            print(f"{check.name}{' (needs --stack)' if check.needs_stack else ''}\n    {check.promise}")
        return 0
    if bool(asked.stack) == bool(asked.url):
        parser.error("say either --stack NAME or --url URL")
    if asked.url and asked.region:
        parser.error("--region goes with --stack")
    checks = _chosen(parser, asked.only)
    redactor = Redactor()
    report = Report(redactor, as_json=asked.json)
    listen_for_the_end()
    try:
        if asked.stack:
            return run_stack(asked.stack, asked.region, checks, report, redactor)
        admin = os.environ.get("ADMIN", "").strip()
        if not admin:
            parser.error("the environment variable ADMIN has to hold an admin key")
        if not (admin.isascii() and admin.isprintable()) or " " in admin:
            parser.error("the environment variable ADMIN holds something that is no key")
        try:
            Wire(asked.url)
        except ValueError as error:
            parser.error(f"--url {error}")
        return run_url(asked.url.rstrip("/"), admin, checks, report, redactor)
    except CannotBegin as reason:
        print(f"tests/aws/run: {redactor.clean(str(reason))}", file=sys.stderr)
        return 1
    except TimeUp:
        print("tests/aws/run: AWS took too long to answer", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        return interrupted.exit_code


def _chosen(parser: argparse.ArgumentParser, names: list[str] | None) -> list[Check]:
    known = {check.name for check in CHECKS}
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        parser.error(f"there is no check {', '.join(unknown)}; --list shows them")
    return [check for check in CHECKS if not names or check.name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/aws/run", description=ABOUT, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", metavar="NAME", help="the deployed stack to check, through the aws CLI")
    parser.add_argument("--region", metavar="R", help="the stack's region, if the CLI has another one set")
    parser.add_argument("--url", metavar="URL", help="the API to check, with the admin key in the environment variable ADMIN")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="only these checks")
    parser.add_argument("--json", action="store_true", help="print one JSON document; the lines go to standard error")
    parser.add_argument("--list", action="store_true", help="list the checks and what each promises, and do nothing")
    return parser
