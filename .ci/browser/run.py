"""Starts the browser, and does what its first argument says; of the journey, only the checks that others name, if there are any.
URL and ADMIN say where the system is."""

import os
import sys
import time

from playwright.sync_api import expect, sync_playwright

import access
import journey
import screenshots
import trouble
from system import System

CHROMIUM = "/usr/bin/chromium"


def main() -> None:
    mode, *named = sys.argv[1:]
    system = System(os.environ["URL"], os.environ["ADMIN"])
    # The sandbox needs a user that isn't root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    # A busy machine isn't a fault of the page.
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, env=screenshots.environment(mode))
        if mode == "screenshots":
            screenshots.take(browser, system)
        else:
            for check in journey.CHECKS + trouble.CHECKS + access.CHECKS:
                if named and check.__name__ not in named:
                    continue
                began = time.monotonic()
                check(browser, system)
                print(f"ok   {check.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
        browser.close()


main()
