"""What people do with the console, from signing in to signing out."""

import json
import re
import time

from playwright.sync_api import expect

from steps import says, store
from watched import Watched, watched


def a_key_lives_from_its_issue_to_its_end(browser, system):
    with watched(browser, system, ("401", "400", "404", "412")) as watching:
        page = watching.page
        sign_in_wrong_and_right(watching)
        secret, id = issue(watching)
        list_and_search(watching, secret, id)
        use(watching, secret, id)
        live(watching, secret, id)
        new = rotate(watching, secret, id)
        update(watching, id)
        disable_and_enable(watching, new, id)
        advise_and_check(watching, id)
        revoke(watching, new, id)
        look_around(watching, id)
        page.get_by_role("button", name="Sign out").click()
        watching.heading("Sign in")
        says(page, "You are signed out.")
        page.go_back()
        watching.heading("Sign in")
        for gone in (system.admin, secret, new):
            watching.nowhere(gone)


def sign_in_wrong_and_right(watching: Watched) -> None:
    page, system = watching.page, watching.system
    page.goto(system.url + "/console/")
    assert page.url == system.url + "/console", page.url
    page.get_by_label("Admin key").fill("mbk_live_" + "0" * 32)
    page.keyboard.press("Enter")
    says(page, "The API doesn't know this key")
    reader = system.issue("no administrator")["secret"]
    page.get_by_label("Admin key").fill(reader)
    page.keyboard.press("Enter")
    says(page, "This key may not manage keys: its scopes are read")
    watching.nowhere(reader)
    page.get_by_label("Admin key").fill(system.admin)
    page.keyboard.press("Enter")
    watching.heading("Keys")
    watching.nowhere(system.admin)


def issue(watching: Watched) -> tuple[str, str]:
    page = watching.page
    page.get_by_role("link", name="Issue a key").click()
    watching.heading("Issue a key")
    page.get_by_label("Name").fill("Quarterly report")
    page.get_by_label("Owner id").fill("ann with a space")
    page.get_by_role("button", name="Issue the key").click()
    at = page.get_by_label("Owner id")
    expect(at).to_be_focused()
    expect(at).to_have_attribute("aria-invalid", "true")
    at.fill("ann")
    page.get_by_role("button", name="Issue the key").click()
    says(page, "is required, unless a plan is named")
    page.get_by_label("read GET").check()
    page.get_by_label("self:rotate").check()
    page.get_by_role("button", name="Add an endpoint").click()
    page.get_by_label("Endpoint", exact=True).fill("FETCH /example")
    page.get_by_role("button", name="Issue the key").click()
    says(page, "scopes[2] names an unknown method")
    page.get_by_label("Endpoint", exact=True).fill("POST /example/{id}")
    for requests, per in (("6", "minute"), ("5000", "month")):
        page.get_by_role("button", name="Add a limit").click()
        page.get_by_label("Requests").last.fill(requests)
        page.get_by_label("Period").last.select_option(per)
    page.get_by_label("IP allowlist").fill("127.0.0.0/8\n10.0.0.0/33")
    page.get_by_label("Metadata").fill('{"team": ')
    page.get_by_role("button", name="Issue the key").click()
    says(page, "must be JSON")
    page.get_by_label("Metadata").fill('{"team": "data", "note": "<b>bold</b>"}')
    page.get_by_role("button", name="Issue the key").click()
    expect(page.get_by_label("IP allowlist")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("IP allowlist").fill("127.0.0.0/8")
    page.get_by_label("Expires").fill("2031-01-02T03:04")
    page.get_by_label("Rotate every").fill("90")
    # Twice, as people click who are in a hurry.
    page.get_by_role("button", name="Issue the key").dblclick()
    secret = store(page)
    watching.heading("Quarterly report")
    id = page.url.rsplit("/", 1)[1]
    watching.nowhere(secret)
    status, key = watching.system.call("GET", f"/v1/keys/{id}")
    assert status == 200 and key["metadata"] == {"team": "data", "note": "<b>bold</b>"}, key
    assert key["scopes"] == ["read", "self:rotate", "POST /example/{id}"], key["scopes"]
    assert (key["expires_at"], key["rotate_every_days"]) == ("2031-01-02T03:04:00Z", 90), key
    _, listed = watching.system.call("GET", "/v1/keys?owner_type=user&owner_id=ann")
    assert [key["id"] for key in listed["keys"]] == [id], "two clicks made two keys"
    return secret, id


def list_and_search(watching: Watched, secret: str, id: str) -> None:
    page = watching.page
    page.get_by_label("Main").get_by_role("link", name="Keys").click()
    watching.heading("Keys")
    row = page.get_by_role("row", name=re.compile("Quarterly report"))
    expect(row).to_be_visible()
    page.keyboard.press("/")
    search = page.get_by_label("Search")
    expect(search).to_be_focused()
    for wanted in ("quarterly", id[:12], "user:ann", secret[:13], secret):
        search.fill(wanted)
        expect(row).to_be_visible()
        says(page, re.compile(r"^1 key of the \d+ loaded matches"))
    search.fill("nothing like it")
    says(page, "No loaded key matches the search.")
    search.fill("")
    page.get_by_label("Environment").select_option("test")
    expect(row).to_have_count(0)
    assert page.url.endswith("#/keys?environment=test"), page.url
    page.get_by_label("Environment").select_option("")
    page.get_by_label("Owner id").fill("ann")
    page.get_by_label("Owner id").press("Enter")
    says(page, "1 key loaded. These are all.")
    page.get_by_role("button", name="Name").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    row.get_by_role("link", name="Quarterly report").click()
    watching.heading("Quarterly report")
    page.go_back()
    expect(page.get_by_label("Owner id")).to_have_value("ann")
    page.go_forward()
    watching.heading("Quarterly report")
    says(page, "<b>bold</b>")


def use(watching: Watched, secret: str, id: str) -> None:
    page, system = watching.page, watching.system
    if time.time() % 60 > 50:
        time.sleep(61 - time.time() % 60)  # a limit of a minute, in one minute
    assert system.uses(secret, 8) == [200] * 6 + [429] * 2
    assert system.uses(secret, 1, "DELETE") == [403]
    watching.go(f"/keys/{id}")
    page.reload()
    watching.heading("Sign in")
    page.get_by_label("Admin key").fill(system.admin)
    page.keyboard.press("Enter")
    watching.heading("Quarterly report")
    expect(page.get_by_role("meter", name="Left of 6 per minute")).to_have_attribute("value", "0")
    expect(page.get_by_role("meter", name="Left of 5,000 per month")).to_have_attribute("value", "4994")
    time.sleep(1.2)
    page.get_by_role("link", name="Usage").click()
    chart = page.get_by_role("img", name=re.compile(r"^6 allowed and 3 refused from"))
    expect(chart).to_be_visible()
    expect(chart.locator("rect.allowed")).to_have_count(1)
    expect(chart.locator("rect.refused")).to_have_count(1)
    page.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("table", name="Uses by day").get_by_role("row")).to_have_count(31)
    page.get_by_label("Period").select_option("12")
    expect(page.get_by_role("img", name=re.compile(r"^6 allowed and 3 refused"))).to_be_visible()


def live(watching: Watched, secret: str, id: str) -> None:
    page, system = watching.page, watching.system
    page.get_by_role("link", name="Attempts").click()
    rows = page.get_by_role("table", name="Attempts").locator("tbody tr")
    expect(rows).to_have_count(9)
    assert system.uses(secret, 2, "DELETE") == [403, 403]
    expect(rows).to_have_count(11, timeout=9_000)
    expect(rows.first).to_have_class("new")
    expect(rows.first).to_contain_text("DELETE")
    expect(page.locator("#announcer")).to_have_text("2 new attempts, 2 refused.")
    page.get_by_label("Outcome").select_option("allowed")
    expect(rows).to_have_count(6)
    page.get_by_label("Outcome").select_option("")
    expect(rows).to_have_count(11)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".live")).to_contain_text("Paused")
    before = len(watching.addresses)
    page.wait_for_timeout(4_500)
    assert not [address for address in watching.addresses[before:] if "/audit" in address], "it asks although it is paused"
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".live")).to_contain_text("Live")


def rotate(watching: Watched, secret: str, id: str) -> str:
    page, system = watching.page, watching.system
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Rotate").click()
    page.get_by_label("The old secret works on for").select_option("3600")
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    new = store(page)
    says(page, re.compile("replaced, works for"))
    assert new != secret
    for gone in (secret, new):
        watching.nowhere(gone)
    assert system.uses(new, 1, "DELETE") == [403], "it is a secret of the key"
    return new


def update(watching: Watched, id: str) -> None:
    page, system = watching.page, watching.system
    page.get_by_role("link", name="Change", exact=True).click()
    watching.heading("Change Quarterly report")
    page.get_by_role("button", name="Save").click()
    says(page, "Nothing was changed yet.")
    page.get_by_label("Name").fill("Monthly report")
    page.get_by_role("button", name="Remove this limit").first.click()
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        page.get_by_role("button", name="Save").click()
    assert json.loads(sent.value.post_data) == {"name": "Monthly report", "limits": [{"requests": 5000, "per": "month"}]}
    assert sent.value.headers["if-match"] == '"2"'
    watching.heading("Monthly report")
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("Name")).to_have_value("Monthly report")
    assert system.call("PATCH", f"/v1/keys/{id}", {"metadata": {"team": "other"}})[0] == 200
    page.get_by_label("Name").fill("Too late")
    page.get_by_role("button", name="Save").click()
    says(page, "Somebody else changed this key since you opened it")
    page.get_by_role("button", name="Load the key again").click()
    expect(page.get_by_label("Name")).to_have_value("Monthly report")
    expect(page.get_by_label("Metadata")).to_have_value(re.compile("other"))
    page.get_by_role("link", name="Cancel").click()


def disable_and_enable(watching: Watched, secret: str, id: str) -> None:
    page, system = watching.page, watching.system
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    says(page, "Switched off.")
    time.sleep(1.1)  # a refusal is remembered for a second, and so is the limit that was in the way before
    assert system.uses(secret, 1) == [401]
    page.get_by_role("button", name="Enable").click()
    assert system.call("PATCH", f"/v1/keys/{id}", {"name": "Monthly report"})[0] == 200
    page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    expect(page.get_by_role("dialog").get_by_text("which If-Match does not allow")).to_be_visible()
    page.get_by_role("button", name="Load the key again").click()
    watching.settled()
    page.get_by_role("button", name="Enable").click()
    page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Disable")).to_be_visible()


def advise_and_check(watching: Watched, id: str) -> None:
    page = watching.page
    page.get_by_role("link", name="Advice").click()
    expect(page.get_by_role("heading", name="It has scopes that nothing needed")).to_be_visible()
    says(page, re.compile("^No use since .* needed these scopes"))
    page.get_by_role("link", name="Check").click()
    page.get_by_label("Method").select_option("DELETE")
    page.get_by_label("Path").fill("example")
    page.get_by_role("button", name="Check").click()
    says(page, "must be a path such as")
    page.get_by_label("Path").fill("/example/7")
    page.get_by_role("button", name="Check").click()
    says(page, "It would be refused")
    expect(page.get_by_role("table", name="Rules in their order").get_by_role("row", name=re.compile("scopes"))).to_contain_text("no")


def revoke(watching: Watched, secret: str, id: str) -> None:
    page, system = watching.page, watching.system
    page.get_by_role("button", name="Revoke").click()
    button = page.get_by_role("dialog").get_by_role("button", name="Revoke for good")
    expect(button).to_be_disabled()
    page.get_by_label("Reason").fill("the report is done")
    page.get_by_label(re.compile("^Type")).fill("Quarterly report")
    expect(button).to_be_disabled()
    page.get_by_label(re.compile("^Type")).fill("Monthly report")
    button.click()
    page.get_by_role("link", name="Overview").click()
    says(page, "Revoked for good")
    says(page, "the report is done")
    expect(page.get_by_role("button", name="Rotate")).to_have_count(0)
    assert system.uses(secret, 1) == [401]


def look_around(watching: Watched, id: str) -> None:
    page, system = watching.page, watching.system
    system.call("PUT", "/v1/plans/basic", {"scopes": ["read"], "limits": [{"requests": 1000, "per": "day"}]})
    page.get_by_role("link", name="Plans").click()
    expect(page.get_by_role("row", name=re.compile("basic.*1,000 per day"))).to_be_visible()
    page.get_by_role("link", name="Changes").click()
    for action in ("revoke", "disable", "rotate", "issue"):
        expect(page.get_by_role("row", name=re.compile(rf"\b{action}\b.*you.*done")).first).to_be_visible()
    watching.go("/owners/user/ann")
    says(page, "None: each key has only its own.")
    page.get_by_role("button", name="Set some").click()
    page.get_by_role("button", name="Add a limit").click()
    page.get_by_role("dialog").get_by_label("Requests").fill("50")
    page.get_by_role("button", name="Put them").click()
    expect(page.get_by_role("meter", name="Left of 50 per minute")).to_be_visible()
    expect(page.get_by_role("table", name="Uses by key")).to_contain_text("Monthly report")
    watching.go("/keys/key_0000000000000000000000")
    says(page, "There is no key of that id")
    watching.go("/nowhere")
    watching.heading("Not found")


CHECKS = [a_key_lives_from_its_issue_to_its_end]
