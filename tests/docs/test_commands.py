"""Every command of README and docs/ runs, on small data, and prints what the page shows."""

from __future__ import annotations

import shutil

import pytest

from tests.docs.pages import PAGES, TO_RUN, Checkout, Step, fences
from tests.docs.warm import warm_python

LANGUAGES = {"sh", "console", "python", "text", "yaml", "math"}
needs_a_shell = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="bash or curl is not there"
)


def compare(steps: list[Step]) -> None:
    """Fail where a page shows something else than what was printed."""
    for command, printed in steps:
        if command.shown is not None and not fences.agrees(command.shown, printed):
            pytest.fail(f"{command.text}\nshown:\n{command.shown}\nprinted:\n{printed}")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    with warm_python(folder / "warm") as python:
        yield Checkout(folder, python)


@pytest.fixture(scope="module")
def model(checkout):
    return checkout.model()


@needs_a_shell
def test_the_page_of_commands_shows_what_they_print(model):
    compare(model)


@needs_a_shell
@pytest.mark.parametrize("page", TO_RUN)
def test_the_commands_of_a_page_run_and_print_what_it_shows(checkout, model, page):
    compare(checkout.run(page))


@pytest.mark.parametrize("page", PAGES)
def test_a_fence_says_what_it_is_and_why_it_is_not_run(page):
    for block in fences.blocks(PAGES[page]):
        assert block.language in LANGUAGES, f"{page}:{block.line}"
        told = block.note in ("", "fails") or len((block.reason or "").split()) >= 2
        assert told, f"{page}:{block.line} {block.note}"


def test_what_varies_is_not_compared_and_all_else_is():
    assert fences.agrees("a  1.5\n====== b3\n...\nend\n", "a -12,000\n==== b4\nmore\nend")
    assert not fences.agrees("a 1 item\n", "a 1 user\n")
    assert not fences.agrees("a\n...\nend\n", "a\nend\nmore\n")


def test_a_page_can_be_made_to_show_what_is_printed():
    page = "```sh\none\n```\n\n```text\nold\n```\n\n```console\n$ two '\n'\nold\n$ three\n```\n"
    commands = [command for block in fences.blocks(page) for command in block.commands()]
    assert [command.text for command in commands] == ["one\n", "two '\n'\n", "three\n"]
    assert [command.shown for command in commands] == ["old\n", "old\n", ""]
    for command in commands:
        page = command.rewritten(page, "new\n")
    assert page.count("new") == 2
    assert "old" not in page
