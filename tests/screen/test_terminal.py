"""Plain text where there is no terminal; bars that leave nothing behind where there is one."""

import io
import logging
import sys
from functools import partial

from recbole_imn.bars import bar, bars_made_by
from recbole_imn.screen import progress
from recbole_imn.screen.messages import log_file, warnings_alone
from recbole_imn.screen.terminal import Screen

LONG = "a/path/that/nobody/can/break-" * 10


class Terminal(io.StringIO):
    """A standard output that says it is a terminal."""

    def isatty(self):
        return True


def terminal_of(monkeypatch):
    """Make standard output a terminal of 80 columns."""
    file = Terminal()
    # In the test itself: pytest sets its own one before each.
    monkeypatch.setattr(sys, "stdout", file)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    return file


def test_lines_are_whole_and_plain_without_a_terminal(capsys):
    screen = Screen()
    screen.show(LONG, "bold")
    screen.show("[red]no markup[/red] :smile:")
    assert list(screen.bar([1, 2], desc="Train", total=2)) == [1, 2]
    assert capsys.readouterr().out == f"{LONG}\n[red]no markup[/red] :smile:\n"


def test_a_line_is_not_broken_on_a_narrow_terminal(monkeypatch):
    terminal = terminal_of(monkeypatch)
    Screen().show(LONG)
    assert terminal.getvalue() == f"{LONG}\n"


def test_letters_that_a_file_cannot_hold_are_written_otherwise(monkeypatch):
    bytes_ = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_, "ascii"))
    Screen().show("--user=Zoë")
    assert bytes_.getvalue() == b"--user=Zo\\xeb\n"


def test_a_bar_is_seen_on_a_terminal_and_gone_afterwards(monkeypatch):
    terminal = terminal_of(monkeypatch)
    screen = Screen()
    shown = screen.bar(iter("ab"), desc="\033[1;35mTrain     0\033[0m", total=2)
    assert len(shown) == 2
    for letter in shown:
        shown.set_postfix_str("GPU RAM")
        screen.show(f"row {letter}")
    written = terminal.getvalue()
    assert "Train 0" in written
    assert "GPU RAM" in written
    # Rows begin lines of their own, and the bar's last line is erased.
    assert "\x1b[2Krow a\n" in written
    assert written.endswith("\x1b[2K")


def test_a_bar_of_an_iteration_that_failed_is_closed(monkeypatch):
    terminal = terminal_of(monkeypatch)
    screen = Screen()
    iteration = iter(screen.bar([1, 2, 3], desc="Train"))
    next(iteration)
    screen.close()
    assert terminal.getvalue().endswith("\x1b[2K")
    assert not screen.console._live_stack


def test_bars_are_quiet_where_asked(monkeypatch):
    terminal = terminal_of(monkeypatch)
    screen = Screen()
    with bars_made_by(screen.bar):
        assert list(bar(range(3), desc="Train", ncols=100, disable=True)) == [0, 1, 2]
    assert terminal.getvalue() == ""


def test_warnings_reach_people_and_the_rest_the_file(tmp_path, monkeypatch, capsys, request):
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    # What a logger remembers of its level is forgotten only this way.
    request.addfinalizer(partial(root.setLevel, root.level))
    root.setLevel(logging.INFO)
    console, file = logging.StreamHandler(sys.stderr), logging.FileHandler("run.log")
    monkeypatch.setattr(root, "handlers", [console, file])
    with warnings_alone(Screen(), lambda message: message == "known"):
        assert log_file() == "run.log"
        root.info("settings")
        root.warning("\033[33mcareful\033[0m")
        root.warning("known")
    assert set(root.handlers) == {console, file}
    file.close()
    assert capsys.readouterr().err == "warning: careful\n"
    written = (tmp_path / "run.log").read_text()
    assert [word in written for word in ("settings", "careful", "known")] == [True] * 3
