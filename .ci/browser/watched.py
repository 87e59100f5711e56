"""A page that is watched: whatever it must not do fails, whenever it does it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from system import System

# Says what the page's own policy stopped.
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
# Wherever something could be kept or shown.
PLACES = """
async () => {
  const places = { html: document.documentElement.outerHTML, address: location.href, name: window.name };
  places.fields = [...document.querySelectorAll("input, textarea")].map((field) => field.value).join("\\n");
  places.storage = JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie, history.state]);
  places.databases = JSON.stringify([await indexedDB.databases(), await caches.keys()]);
  return places;
}
"""
# How Chromium reports an answer that isn't a success. Which are expected is said by each journey.
ANSWER = re.compile(r"Failed to load resource: the server responded with a status of (\d+)|Failed to load resource: net::")


class Watched:
    def __init__(self, page: Page, system: System) -> None:
        self.page, self.system = page, system
        self.said: list[str] = []
        self.addresses: list[str] = []
        self.wrong: list[str] = []
        self.expected: set[str] = set()
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.wrong.append(f"an error of the page: {error}"))
        page.on("request", self.on_request)
        page.set_default_timeout(15_000)

    def on_console(self, message) -> None:
        self.said.append(message.text)
        answer = ANSWER.search(message.text)
        if message.type in ("error", "warning") and not (answer and (answer[1] or "net") in self.expected):
            self.wrong.append(f"the console says: {message.text} ({message.location})")

    def on_request(self, request) -> None:
        self.addresses.append(request.url)
        if not request.url.startswith(self.system.url + "/"):
            self.wrong.append(f"a request to another origin: {request.url}")

    def nowhere(self, secret: str) -> None:
        """The secret is in no place of the page, and was in no address and no line of the console."""
        places = self.page.evaluate(PLACES)
        places |= {"console": "\n".join(self.said), "requests": "\n".join(self.addresses)}
        for place, text in places.items():
            assert secret not in text, f"a secret is in {place}"
        assert places["storage"] == '[[],[],"",null]' and places["databases"] == "[[],[]]", places

    def sign_in(self, key: str | None = None, path: str = "/console") -> None:
        self.page.goto(self.system.url + path)
        self.page.get_by_label("Admin key").fill(key or self.system.admin)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    def go(self, place: str) -> None:
        self.page.evaluate("place => { location.hash = place }", place)

    def settled(self) -> None:
        """Nothing is being loaded any more."""
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    def heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()


@contextmanager
def watched(browser: Browser, system: System, expected: tuple[str, ...] = (), **options: object):
    """A watched page in a context of its own. `expected` are the statuses that aren't successes and still right."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.add_init_script(VIOLATIONS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    watching = Watched(context.new_page(), system)
    watching.expected = set(expected)
    yield watching
    assert not watching.wrong, "\n".join(watching.wrong)
    context.close()
