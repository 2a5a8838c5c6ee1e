"""The site builds without a warning, and its pages agree with the code and with results/."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "docs" / "site"), str(ROOT / "benchmarks")]
import drawing  # noqa: E402
import make_site  # noqa: E402
import readme_results  # noqa: E402

needs_docs = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="what builds the site needs Python 3.11"
)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A repository with two pages, in place of ours."""
    files = {
        "mkdocs.yml": "site_name: a\n\nnav:\n  - Home: index.md\n  - scale.md\n"
        "  - Other: [one.md]\n",
        "README.md": "[one](docs/one.md#part) [code](code.py)\n"
        '```sh long="a reason"\n[no](link)\n```\n',
        "docs/one.md": "# One\n[back](../README.md)\n",
        "code.py": "",
    }
    for name, text in files.items():
        make_site.write(tmp_path / name, text)
    monkeypatch.setattr(make_site, "ROOT", tmp_path)
    monkeypatch.setattr(make_site, "CONFIGURATION", tmp_path / "mkdocs.yml")
    monkeypatch.setattr(make_site, "STAGE", tmp_path / "build" / "docs")
    monkeypatch.setattr(make_site, "OTHERS", {"README.md": "index.md"})
    return tmp_path


@needs_docs
def test_the_site_builds_without_a_warning():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "site" / "make_site.py"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    site = ROOT / "build" / "site"
    reference = (site / "reference" / "serving.html").read_text(encoding="utf-8")
    assert "Recommender.observe" in reference
    models = (site / "models.html").read_text(encoding="utf-8")
    assert models.count("<math") == models.count('class="equation"') > 10


def test_the_drawing_is_that_of_the_imports():
    graph = drawing.imports(drawing.PACKAGE)
    assert drawing.DRAWING.read_text(encoding="utf-8") == drawing.draw(graph)
    assert "model" in graph["serving"]
    assert set(graph) == {file.parent.name for file in drawing.PACKAGE.glob("*/__init__.py")}


def test_the_first_rooms_know_nothing_of_the_last():
    far = drawing.reachable(drawing.imports(drawing.PACKAGE))
    for room in ("log", "past", "stream", "kernels", "session"):
        assert not far[room] & {"data", "evaluation", "serving", "tuning", "compat", "resume"}


def test_arrows_that_others_imply_are_left_out_and_circles_share_a_frame():
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": {"c"}}
    circle = frozenset("cd")
    assert drawing.arrows(graph) == {
        (frozenset("a"), frozenset("b")),
        (frozenset("b"), circle),
    }
    assert drawing.layers(graph) == [[frozenset("a")], [frozenset("b")], [circle]]


def test_imports_of_type_checkers_and_of_functions_are_no_arrows(tmp_path):
    text = "from p.b import x\nif TYPE_CHECKING:\n    import p.c\ndef f():\n    import p.d\n"
    for name in "abcd":
        make_site.write(tmp_path / "p" / name / "__init__.py", text if name == "a" else "")
    assert drawing.imports(tmp_path / "p")["a"] == {"b"}


def test_tables_are_those_of_the_results():
    for page, text in readme_results.pages().items():
        assert page.read_text(encoding="utf-8") == text, (
            f"python benchmarks/readme_results.py: {page}"
        )


def test_the_readme_is_short():
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    assert len(words) <= 1_200


def test_links_lead_to_pages_and_to_copies_of_files(copied):
    make_site.stage(copied / "build" / "docs")
    text = (copied / "build" / "docs" / "index.md").read_text(encoding="utf-8")
    assert text == "[one](one.md#part) [code](files/code.py)\n```sh\n[no](link)\n```\n"
    assert (copied / "build" / "docs" / "files" / "code.py").exists()
    one = (copied / "build" / "docs" / "one.md").read_text(encoding="utf-8")
    assert one == "# One\n[back](index.md)\n"


def test_a_page_that_is_to_come_is_in_the_navigation_once_it_is_there(copied):
    assert make_site.navigation()[:2] == [{"Home": "index.md"}, {"Other": ["one.md"]}]
    make_site.write(copied / "docs" / "scale.md", "# Scale\n")
    assert make_site.navigation()[1] == "scale.md"


def test_a_lost_page_and_a_dead_link_are_one_line(copied, capsys, monkeypatch):
    monkeypatch.setattr(drawing, "main", lambda: 0)
    make_site.write(copied / "docs" / "lost.md", "# Lost\n")
    assert make_site.main() == 2
    assert capsys.readouterr().err == (
        "error: pages in no navigation: lost.md; add them to mkdocs.yml\n"
    )
    make_site.write(copied / "docs" / "one.md", "[away](nowhere.md)\n")
    assert make_site.main() == 2
    assert capsys.readouterr().err == ("error: docs/one.md links to nowhere.md, which is no file\n")


@needs_docs
def test_docstrings_become_markdown():
    as_markdown = importlib.import_module("docstrings").as_markdown
    text = "See :func:`~a.b` and ``c``.\n\n.. math::\n    x^2\n    + 1\n\nThen.\n\n.. math:: y"
    assert as_markdown(text) == (
        "See `b` and `c`.\n\n```math\nx^2\n+ 1\n```\n\n\nThen.\n\n```math\ny\n```"
    )
