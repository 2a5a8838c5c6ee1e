"""Let pages show what their commands print now: ``python -m tests.docs.rewrite [PAGE ...]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs.pages import MODEL, PAGES, ROOT, TO_RUN, Checkout
from tests.docs.warm import warm_python


def main(pages: list[str]) -> int:
    """Run the pages, write those that show something else, and give the exit status."""
    with tempfile.TemporaryDirectory() as folder, warm_python(Path(folder) / "warm") as python:
        checkout = Checkout(Path(folder), python)
        steps = {MODEL: checkout.model()}
        steps |= {page: checkout.run(page) for page in pages if page != MODEL}
    for page in pages:
        text = PAGES[page]
        for command, printed in steps[page]:
            text = command.rewritten(text, printed)
        if text != PAGES[page]:
            (ROOT / page).write_text(text, encoding="utf-8")
            print(f"{page} shows what is printed now")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [MODEL, *TO_RUN]))
