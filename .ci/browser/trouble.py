"""What may go wrong meanwhile: with the API, with the person in front of the page, and with what others have written."""

import time

from playwright.sync_api import expect

from steps import says, store
from watched import Watched, watched


def what_goes_wrong_is_said_and_can_be_tried_again(browser, system):
    with watched(browser, system, ("429", "503", "net", "401")) as watching:
        page = watching.page
        other = system.issue("another administrator", scopes=["admin"])
        assert system.call("PUT", "/v1/plans/basic", {"scopes": ["read"]})[0] in (200, 201)
        watching.sign_in(other["secret"])
        answers = iter([
            {"status": 429, "headers": {"Retry-After": "1"}, "json": {"code": "rate_limited", "detail": "A limit is reached."}},
            {"status": 503, "json": {"code": "internal", "detail": "This is our fault and has been logged."}},
        ])  # fmt: skip
        page.route("**/v1/plans**", lambda route: route.fulfill(**a) if (a := next(answers, None)) else route.continue_())
        page.get_by_role("link", name="Plans").click()
        says(page, "The API asks to wait 1 s: A limit is reached.")
        says(page, "The API has a fault.")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("table", name="Plans")).to_be_visible()
        page.context.set_offline(True)
        page.get_by_role("link", name="Changes").click()
        says(page, "This computer is offline.")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("table", name="Changes")).to_be_visible()
        an_answer_that_is_lost(watching)
        # Of the new key's page nothing may be on its way: the first answer after the revocation signs out, and takes the link with it.
        watching.heading("lost and found")
        watching.settled()
        system.call("POST", f"/v1/keys/{other['id']}/revoke", {"reason": "left"})
        page.get_by_label("Main").get_by_role("link", name="Keys").click()
        says(page, "You were signed out: the API no longer accepts this key.")
        watching.nowhere(other["secret"])


def an_answer_that_is_lost(watching: Watched) -> None:
    """The key is issued, and nobody is told. Trying again shows a secret, and there is still one key."""
    page, lost = watching.page, []

    def lose(route):
        if lost or route.request.method != "POST":
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.route("**/v1/keys", lose)
    watching.go("/issue?owner_type=service&owner_id=lost")
    page.get_by_label("Name").fill("lost and found")
    page.get_by_label("read GET").check()
    page.get_by_role("button", name="Issue the key").click()
    says(page, "The API can't be reached.")
    page.get_by_role("button", name="Issue the key").click()
    secret = store(page)
    _, listed = watching.system.call("GET", "/v1/keys?owner_type=service&owner_id=lost")
    assert lost == [201] and len(listed["keys"]) == 1, (lost, listed)
    assert watching.system.uses(secret, 1) == [200]


def the_key_is_forgotten(browser, system):
    with watched(browser, system) as watching:
        page = watching.page
        page.clock.install()
        watching.sign_in()
        page.clock.fast_forward("14:30")
        watching.heading("Keys")
        page.keyboard.press("Shift")
        page.clock.fast_forward("14:30")
        watching.heading("Keys")
        page.clock.fast_forward("01:00")
        says(page, "You were signed out after 15 minutes")
        watching.nowhere(system.admin)
    with watched(browser, system) as watching:
        page = watching.page
        watching.sign_in()
        page.goto(system.url + "/console?again")
        watching.heading("Sign in")
        page.go_back()
        watching.heading("Sign in")
        watching.nowhere(system.admin)


def what_others_write_is_only_text(browser, system):
    name = '<img src=x onerror="alert(1)">\u202egnp.exe'
    key = system.issue(name, "user:<script>", metadata={"</code><script>": "\u2066alert(1)\u2069", "html": "<svg onload=alert(1)>"})
    agent = "<b onmouseover=alert(1)>agent</b>"
    system.call("GET", "/example", key=key["secret"], **{"User-Agent": agent})
    system.call("GET", "/example/%3Cscript%3E", key=key["secret"])
    with watched(browser, system, ("404",)) as watching:
        page = watching.page
        page.on("dialog", lambda dialog: watching.wrong.append(f"a dialog of the page: {dialog.message}"))
        watching.sign_in()
        shown = name.replace("\u202e", "⟨U+202E⟩")
        expect(page.get_by_role("link", name=shown)).to_be_visible()
        watching.go(f"/keys/{key['id']}")
        watching.heading(shown)
        says(page, "⟨U+2066⟩alert(1)⟨U+2069⟩")
        time.sleep(1.2)
        page.get_by_role("link", name="Attempts").click()
        says(page, agent)
        watching.go("/owners/user/%3Cscript%3E")
        watching.heading("user:<script>")
        assert page.locator("main img, main script, main b").count() == 0


def it_works_below_a_stage(browser, system):
    """As behind API Gateway, where every path begins with the stage."""
    with watched(browser, system) as watching:
        strip = lambda route: route.fulfill(response=route.fetch(url=route.request.url.replace("/live/", "/", 1)))  # noqa: E731
        watching.page.route(f"{system.url}/live/**", strip)
        watching.sign_in(path="/live/console")
        expect(watching.page.get_by_role("table", name="Keys")).to_be_visible()
        assert all("/live/" in address for address in watching.addresses), watching.addresses


CHECKS = [
    what_goes_wrong_is_said_and_can_be_tried_again,
    the_key_is_forgotten,
    what_others_write_is_only_text,
    it_works_below_a_stage,
]
