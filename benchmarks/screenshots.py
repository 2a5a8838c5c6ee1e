"""Take pictures of pages: wide and narrow, light and dark.

    python benchmarks/screenshots.py results/czb.html atomic_files/czb/czb.report.html --out=shots

writes shots/czb-1280-light.png and so on. It needs chromium and playwright.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS, SCHEMES = (1280, 400), ("light", "dark")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for page in options.pages:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    shown = browser.new_page(
                        viewport={"width": width, "height": 900}, color_scheme=scheme
                    )
                    shown.goto(page.resolve().as_uri())
                    name = f"{page.name.removesuffix('.html')}-{width}-{scheme}.png"
                    shown.screenshot(path=options.out / name, full_page=True)
                    print(options.out / name)
                    shown.close()


if __name__ == "__main__":
    main()
