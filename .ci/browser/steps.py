"""Steps that several journeys have."""

import re

from playwright.sync_api import Page, expect


def says(page: Page, words: str | re.Pattern) -> None:
    """People can read it. What a screen reader is told beside it doesn't count."""
    expect(page.locator("main, #notices, dialog").get_by_text(words)).to_be_visible()


def clipboard(page: Page) -> str:
    """What was copied, as another page finds it: the console's own may not read it."""
    other = page.context.new_page()
    other.goto(page.url.split("/console")[0] + "/nothing")
    other.bring_to_front()
    text = other.evaluate("() => navigator.clipboard.readText()")
    other.close()
    page.bring_to_front()
    return text


def store(page: Page) -> str:
    """Takes the secret that a dialog shows, through the clipboard, and closes it."""
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".secret")).to_be_visible()
    assert dialog.get_by_role("button", name="Close").is_disabled(), "it closes before the secret is stored"
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(dialog.locator(".secret")).to_be_visible()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_text("Copied.")).to_be_visible()
    secret = clipboard(page)
    assert secret == dialog.locator(".secret").inner_text()
    assert re.fullmatch(r"mbk_(live|test)_[A-Za-z0-9]{32}", secret), "that is no secret"
    dialog.get_by_label("I have stored it").check()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    return secret
