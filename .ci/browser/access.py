"""Who may use the console: with a keyboard alone, with a screen reader, on a small screen, in the dark."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from watched import watched

# The name of what has the focus.
FOCUSED = """
() => {
  const at = document.activeElement;
  return (at.labels?.[0]?.innerText ?? at.getAttribute("aria-label") ?? at.innerText ?? "").trim();
}
"""

# Fields that have no name but their placeholder, which is gone as soon as somebody types. The checker lets them pass.
NAMELESS = """
() => [...document.querySelectorAll("input, select, textarea")]
  .filter((field) => field.labels.length === 0 && !field.ariaLabel).map((field) => field.outerHTML)
"""


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate(FOCUSED).startswith(name):
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nothing shows that {name} has the focus"
            return
    raise AssertionError(f"{name} can't be reached by the keyboard")


def a_keyboard_is_enough(browser, system):
    with watched(browser, system) as watching:
        page = watching.page
        page.goto(system.url + "/console")
        expect(page.get_by_label("Admin key")).to_be_focused()
        page.keyboard.insert_text(system.admin)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Keys", level=1)).to_be_focused()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("n")
        expect(page.get_by_role("heading", name="Issue a key", level=1)).to_be_focused()
        tab_to(page, "Name")
        page.keyboard.type("By keyboard")
        tab_to(page, "Owner id")
        page.keyboard.type("keyboard")
        tab_to(page, "read")
        page.keyboard.press("Space")
        tab_to(page, "Add a limit")
        page.keyboard.press("Enter")
        page.keyboard.type("10")
        tab_to(page, "Issue the key")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="The secret of By keyboard")
        expect(dialog).to_be_visible()
        tab_to(page, "Copy")
        page.keyboard.press("Enter")
        tab_to(page, "I have stored it")
        page.keyboard.press("Space")
        tab_to(page, "Close")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="By keyboard", level=1)).to_be_visible()
        tab_to(page, "Revoke")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type("tried")
        tab_to(page, "Type By keyboard")
        page.keyboard.type("By keyboard")
        tab_to(page, "Revoke for good")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Revoked for good")).to_be_visible()
        tab_to(page, "Skip to content", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def places(key: str) -> list[str]:
    own = [f"/keys/{key}{end}" for end in ("", "/usage", "/attempts", "/advice", "/check", "/edit")]
    return ["/keys", *own, "/issue", "/plans", "/owners/user/browser", "/changes"]


def no_rule_of_accessibility_is_broken(browser, system):
    key = system.issue("for everybody", limits=[{"requests": 3, "per": "day"}], metadata={"a": 1})
    system.uses(key["secret"], 4)
    system.call("POST", f"/v1/keys/{key['id']}/rotate", {})
    axe = Axe()
    faults = []

    def check(page: Page, what: str) -> None:
        rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}  # all that the dark can change
        results = axe.run(page, options={"resultTypes": ["violations"], **rules}).response
        faults.extend(f"{what}: no label: {field}" for field in page.evaluate(NAMELESS))
        for violation in results["violations"]:
            where = [(node["target"], node["failureSummary"]) for node in violation["nodes"][:3]]
            faults.append(f"{what}: {violation['id']}: {violation['help']}: {where}")

    for scheme in ("light", "dark"):
        # The checker is not the page's own: it is put in from outside, and only here.
        with watched(browser, system, ("404",), color_scheme=scheme, reduced_motion="reduce", bypass_csp=True) as watching:
            page = watching.page
            page.goto(system.url + "/console")
            check(page, f"signing in, {scheme}")
            watching.sign_in()
            for place in places(key["id"]):
                watching.go(place)
                watching.settled()
                check(page, f"{place}, {scheme}")
            watching.go(f"/keys/{key['id']}")
            watching.settled()
            for button in ("Rotate", "Revoke", "Help"):
                page.get_by_role("button", name=button).click()
                check(page, f"the dialog of {button}, {scheme}")
                page.keyboard.press("Escape")
    assert not faults, "\n".join(faults)


def a_small_screen_is_enough(browser, system):
    key = system.issue("A name of sixty-four characters, which is as long as one can be.", "service:" + "a-very-long-id-" * 4)
    with watched(browser, system, ("404",), viewport={"width": 320, "height": 640}) as watching:
        page = watching.page
        page.goto(system.url + "/console")
        watching.sign_in()
        for place in places(key["id"]):
            watching.go(place)
            watching.settled()
            width = page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= 320, f"{place} is {width} pixels wide"
        page.get_by_role("button", name="Help").click()
        assert page.get_by_role("dialog").bounding_box()["width"] <= 320


def the_button_chooses_light_or_dark(browser, system):
    ground = "() => getComputedStyle(document.body).backgroundColor"
    with watched(browser, system, color_scheme="dark") as watching:
        page = watching.page
        page.goto(system.url + "/console")
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Light").click()
        light = page.evaluate(ground)
        assert dark != light
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate(ground) == dark
        page.reload()
        page.emulate_media(color_scheme="light")
        assert page.evaluate(ground) == light, "it is kept nowhere, and the system decides again"


CHECKS = [
    a_keyboard_is_enough,
    no_rule_of_accessibility_is_broken,
    a_small_screen_is_enough,
    the_button_chooses_light_or_dark,
]
