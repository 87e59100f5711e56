"""The pictures of README.md and docs/console.md, of a system with a month behind it."""

import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from watched import Watched, watched

FOLDER = Path("docs/images")
LARGEST = 150_000

# Which fonts stand for the system's own.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern"><test name="family" qual="any"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match target="pattern"><test name="family" qual="any"><string>sans</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match target="pattern"><test name="family" qual="any"><string>DejaVu Sans</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>
"""


def environment(mode: str) -> dict[str, str]:
    if mode != "screenshots":
        return dict(os.environ)
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write(FONTS)
    return os.environ | {"FONTCONFIG_FILE": file.name}


def few(image: Image.Image) -> Image.Image:
    """The image in its 256 most frequent colours, so that no ground changes its tint."""
    colours = sorted(image.getcolors(maxcolors=image.width * image.height), reverse=True)[:256]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in colours for part in colour])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def save(watching: Watched, name: str) -> None:
    page = watching.page
    watching.settled()
    page.wait_for_timeout(300)
    path = FOLDER / f"console-{name}.png"
    few(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).save(path, optimize=True)
    size = path.stat().st_size
    assert size < LARGEST, f"{path} has {size} bytes"
    print(f"{path}: {size} bytes")


def take(browser, system) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    _, listed = system.call("GET", "/v1/keys?environment=live&limit=100")
    ids = {key["name"]: key["id"] for key in listed["keys"]}
    export, hooks = f"/keys/{ids['Nightly export']}", f"/keys/{ids['Shop webhooks']}"
    for scheme in ("light", "dark"):
        with watched(browser, system, color_scheme=scheme) as watching:
            page = watching.page
            watching.sign_in()
            page.get_by_label("Status").select_option("")
            expect(page.get_by_text("These are all.")).to_be_visible()
            page.mouse.move(0, 0)
            for place, name in ((None, "keys"), (export, "key"), (f"{hooks}/usage", "usage"), (f"{export}/attempts", "attempts")):
                if place:
                    watching.go(place)
                page.wait_for_timeout(400)
                save(watching, f"{name}-{scheme}")
