"""Pages of README and docs/, and a folder in which their commands run."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from recbole_imn.data.market import MarketConfig, simulate, write_market
from tests.docs.setups import ONE_EPOCH, SETUPS, Setup

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "docs" / "site")]
import fences  # noqa: E402
import walk_through  # noqa: E402

# Has a test of its own.
WALK_THROUGH = "docs/from_a_log_to_recommendations.md"
# The page whose model all others ask.
MODEL = "docs/commands.md"
FILES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
TO_RUN = [
    page
    for page, text in PAGES.items()
    if page not in (WALK_THROUGH, MODEL)
    and any(block.language in fences.RUN and not block.reason for block in fences.blocks(text))
]
# A command, and what it printed.
Step = tuple[fences.Command, str]


class Checkout:
    """Folders for pages, which share data, a model, and a Python that is warm."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self.python = folder, python
        whole = MarketConfig.named("czb-mini")
        for name, config in (("whole", whole), ("small", whole.scaled(0.15))):
            write_market(simulate(config), folder / name / "czb-mini", "czb-mini")

    def place(self, page: str) -> Path:
        """Give the folder in which a page runs."""
        return self.folder / page.replace("/", "-")

    def run(self, page: str) -> list[Step]:
        """Run a page's commands and code; gives its commands, and what each printed."""
        setup, data = SETUPS.get(page, Setup()), "whole" if page == MODEL else "small"
        folder = self.place(page)
        walk_through.prepare(folder, self.python)
        shutil.copytree(self.folder / data, folder / "atomic_files")
        for model in self.folder.glob("*.pth"):
            shutil.copy(model, folder)
        with walk_through.Shell(folder) as shell:
            shell.run(setup.before or "true")
            return list(steps(shell, folder, page, setup))

    def model(self) -> list[Step]:
        """Run the page whose model others ask, and keep that and a small one."""
        found, folder = self.run(MODEL), self.place(MODEL)
        with walk_through.Shell(folder) as shell:
            shell.run(
                "python -m recbole_imn run --model=IMNNetPlus --dataset=czb-mini --epochs=1 "
                f"--embedding_size=16 --data_path={self.folder / 'small'} "
                "--checkpoint_dir=small\nmv small/*.pth small.pth"
            )
        for name in ("market.pth", "small.pth"):
            shutil.copy(folder / name, self.folder)
        return found


def steps(shell: walk_through.Shell, folder: Path, page: str, setup: Setup) -> Iterator[Step]:
    """Run blocks of a page in one shell, and then its code as one program."""
    port, code = str(walk_through.free_port()), []
    for block in fences.blocks(PAGES[page]):
        if block.language == "python" and not block.reason:
            code.append(block.text)
        for command in block.commands():
            text = in_small(command.text, setup, port)
            if page != MODEL:
                text = re.sub(ONE_EPOCH, r"\1 --epochs=1", text)
            yield command, walk_through.tidy(shell.run(text, command.fails), folder, port)
    if code:
        shell.run(setup.between or "true")
        (folder / "page.py").write_text(in_small("\n".join(code), setup, port), encoding="utf-8")
        shell.run("python page.py")


def in_small(text: str, setup: Setup, port: str) -> str:
    """Give commands in the form in which they run here."""
    for old, new in setup.changes.items():
        text = text.replace(old, new)
    return text.replace(":8000", f":{port}").replace("=8000", f"={port}")
