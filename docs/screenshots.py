"""Take the pictures of the page that the documentation shows, of the real thing with its example song.

    pip install ".[test]" && python docs/screenshots.py

Needs chromium (`apt install chromium`). Writes docs/pictures/*.png.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

from PIL import Image  # noqa: E402  (Streamlit brings it)
from web.running import chromium, page_server  # noqa: E402

SHOTS = {
    "page-light": {"viewport": {"width": 1000, "height": 900}, "color_scheme": "light"},
    "page-dark": {"viewport": {"width": 1000, "height": 900}, "color_scheme": "dark"},
    "page-phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "is_mobile": True,
        "has_touch": True,
    },
    "page-200-percent": {"viewport": {"width": 500, "height": 450}, "device_scale_factor": 2},
}


def main() -> None:
    """Take them all."""
    (HERE / "pictures").mkdir(exist_ok=True)
    with page_server() as (url, _), chromium() as browser:
        for name, options in SHOTS.items():
            context = browser.new_context(**options)
            page = context.new_page()
            page.set_default_timeout(600_000)
            page.goto(url)
            take(page, HERE / "pictures" / f"{name}.png", options["viewport"]["width"])
            context.close()


def take(page: Any, path: Path, width: int) -> None:
    """Separate the example, show the mask, and take the whole page."""
    page.get_by_text("Try the example").click()
    page.get_by_text("CC0").wait_for()
    page.get_by_role("button", name="Separate").click()
    page.locator(".heatmaplayer image").nth(2).wait_for()
    page.get_by_text("Show the mask").click()
    page.locator(".heatmaplayer image").nth(3).wait_for()
    page.wait_for_timeout(1000)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": height})
    page.mouse.move(2, 2)
    page.wait_for_timeout(3000)
    page.screenshot(path=path)
    with Image.open(path) as picture:  # a palette is enough, and a third of the size
        small = picture.convert("RGB").quantize(48, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
