"""Build the documentation, strictly: ``make docs``, or ``python docs/site/make_site.py``.

Pages are gathered in ``build/docs`` first: those of docs/, the README as the first one, the pages
of results/, and one for each room of the package, whose text is in its docstrings. Links between
files of the repository become links between pages, or to copies of the files. The drawing of the
architecture is made anew. What is built, ``build/site``, needs no network.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import drawing

ROOT = drawing.ROOT
CONFIGURATION = ROOT / "mkdocs.yml"
STAGE = ROOT / "build" / "docs"
# Pages that lie elsewhere in the repository.
OTHERS = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
# Pages that are on their way; they are in the navigation as soon as they are there.
COMING = {"scale.md", "more_processes.md"}
# Pages of results whose runs are not over. Links to absent pages lead to an overview meanwhile.
UNFINISHED = {f"results/{name}.md" for name in ("scale_IMNNetPlus", "scale_SASRec", "stale_states")}
LINK = re.compile(r"(?<!`)\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^(?P<fence> *`{3,}[\w-]+).*$")


class DocumentationError(ValueError):
    """A link or a page that is not there; the message is one line."""


def main() -> int:
    """Gather the pages, build the site, and give the exit status."""
    drawing.main()
    try:
        stage(STAGE)
    except DocumentationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [Path(sys.executable).with_name("zensical"), "build", "--clean", "--strict"]
    return subprocess.run(
        [*command, "-f", STAGE.parent / "mkdocs.yml"],
        cwd=STAGE.parent,
        env=environment,
        check=False,
    ).returncode


def stage(folder: Path) -> None:
    """Gather all pages in a folder, and the configuration beside it.

    Raises
    ------
    DocumentationError
        If a link leads nowhere, or a page is in no navigation.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for source, page in pages().items():
        text = linked(source, page, (ROOT / source).read_text(encoding="utf-8"), folder)
        write(folder / page, text)
    shutil.copy(drawing.DRAWING, folder / drawing.DRAWING.name)
    for page, text in reference().items():
        write(folder / page, text)
    (folder.parent / "mkdocs.yml").write_text(
        CONFIGURATION.read_text(encoding="utf-8").partition("\nnav:\n")[0]
        + "\n"
        + yaml.safe_dump({"nav": navigation()}, allow_unicode=True),
        encoding="utf-8",
    )


def pages() -> dict[str, str]:
    """Give the place of each page in the site by that of its source in the repository."""
    found = dict(OTHERS)
    for file in sorted((ROOT / "docs").glob("*.md")):
        found[f"docs/{file.name}"] = file.name
    for file in sorted((ROOT / "results").rglob("*.md")):
        name = file.relative_to(ROOT).as_posix()
        found[name] = name
    return found


def linked(source: str, page: str, text: str, folder: Path) -> str:
    """Give a page with its links as they are in the site, and fences without our notes."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
            line = FENCE.sub(r"\g<fence>", line) if inside else line
        elif not inside:
            line = LINK.sub(
                lambda found: f"]({target(source, page, found['target'], folder)})", line
            )
        lines.append(line)
    return "\n".join(lines) + "\n"


def target(source: str, page: str, link: str, folder: Path) -> str:
    """Give where a link of a page leads in the site; files that are no pages are copied there.

    Raises
    ------
    DocumentationError
        If there is no such file.
    """
    if link.startswith(("http:", "https:", "#", "mailto:")):
        return link
    path, _, anchor = link.partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    meanwhile = "results.md" if found in UNFINISHED else None
    if found.removeprefix("docs/") in COMING:
        meanwhile = "serving.md"
    place = pages().get(found, meanwhile)
    if place is None and found == f"docs/{drawing.DRAWING.name}":
        place = drawing.DRAWING.name
    if place is None:
        if not (ROOT / found).is_file():
            raise DocumentationError(f"{source} links to {link}, which is no file")
        place = f"files/{found}"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / found, folder / place)
    relative = posixpath.relpath(place, posixpath.dirname(page) or ".")
    return f"{relative}#{anchor}" if anchor else relative


def reference() -> dict[str, str]:
    """Give a page for each room of the package, its modules in the order of their names."""
    found = {}
    for room in sorted(drawing.imports(drawing.PACKAGE)):
        modules = sorted(modules_of(drawing.PACKAGE / room))
        blocks = "\n\n".join(f"::: {module}" for module in modules)
        found[f"reference/{room}.md"] = f"# recbole_imn.{room}\n\n{blocks}\n"
    files = sorted(file.stem for file in drawing.PACKAGE.glob("*.py") if file.stem[0] != "_")
    blocks = "\n\n".join(f"::: recbole_imn.{name}" for name in files)
    return {"reference/package.md": f"# recbole_imn\n\n{blocks}\n", **found}


def modules_of(room: Path) -> Iterable[str]:
    """Give the dotted names of the modules of a room that say what they are for."""
    for file in room.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if text.lstrip("r").startswith('"""') and not file.stem.startswith("_"):
            yield ".".join(file.relative_to(drawing.PACKAGE.parent).with_suffix("").parts)


def navigation() -> list[Any]:
    """Give the navigation: that of the configuration, without pages that are still to come.

    Raises
    ------
    DocumentationError
        If a page of docs/ is not in it.
    """
    configured = CONFIGURATION.read_text(encoding="utf-8").partition("\nnav:\n")[2]
    whole = yaml.safe_load("nav:\n" + configured)["nav"]
    there = set(pages().values())
    named = set(re.findall(r"[\w/]+\.md", configured))
    lost = sorted(page for page in there - named if "/" not in page)
    if lost:
        raise DocumentationError(
            f"pages in no navigation: {', '.join(lost)}; add them to mkdocs.yml"
        )
    found = pruned(whole, COMING - there)
    found.append({"Results, page by page": sorted(page for page in there if "/" in page)})
    found.append({"Reference": sorted(reference())})
    return found


def pruned(entries: list[Any], absent: set[str]) -> list[Any]:
    """Give entries of a navigation without those of pages that are absent."""
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((title, below),) = entry.items()
            below = pruned(below, absent) if isinstance(below, list) else below
            if below not in absent if isinstance(below, str) else below:
                found.append({title: below})
        elif entry not in absent:
            found.append(entry)
    return found


def write(path: Path, text: str) -> None:
    """Write a page, and its folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
