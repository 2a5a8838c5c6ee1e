"""The end of a run of several processes: one line tells of it, whichever of them ends first."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import NoReturn

from recbole_imn.processes.group import Group, Member, group, join, leave

# Seconds between two looks at the other processes.
PAUSE = 0.2
# Seconds that are left to somebody else for telling what he met.
GRACE = 1.0
FAILED = 1


class _Watch:
    """What this process knows of the end."""

    thread: threading.Thread | None = None
    over = threading.Event()
    # The file that a run which is stopped can go on from.
    state: Path | None = None
    # Held by the thread that tells how the run ended, until the process is gone.
    telling = threading.RLock()
    tells = False


def watch() -> None:
    """Look after the other processes of this machine, and end when one of them has ended."""
    own = group()
    if not own.is_several or _Watch.thread is not None:
        return
    _Watch.over.clear()
    _Watch.thread = threading.Thread(target=_look_after, args=(own, os.getppid()), daemon=True)
    _Watch.thread.start()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _told_to_end)


def stop_watching() -> None:
    """Let the others end: all of them have done their work."""
    _Watch.over.set()
    if _Watch.thread is not None:
        _Watch.thread.join()
    _Watch.thread = None


def can_go_on_from(state: Path) -> None:
    """Say which file keeps the state of the run, for whoever reads how it ended."""
    _Watch.state = state


def first_to_tell() -> bool:
    """Whether nobody has told yet how the run ended; true for one process alone."""
    store = group().store
    # A launcher that has ended has taken its store with it.
    with suppress(RuntimeError):
        return store is None or bool(store.add("told", 1) == 1)
    return group().writes


def end_by(line: str) -> NoReturn:
    """Tell how the run ended, unless somebody has, and end at once."""
    # Another thread that wants to end waits until the line is out, and is gone with it.
    with _Watch.telling:
        _Watch.tells = True
        if first_to_tell():
            print(line, file=sys.stderr, flush=True)
        _end()


def end_by_error() -> NoReturn:
    """End by the error that is being handled: of all processes, one shows where it was met.

    A process that another one has left is met by an error, too; what has happened is told by
    whoever knows.
    """
    shown = traceback.format_exc()
    gone = _gone_within(GRACE)
    if gone is not None:
        end_by(_left_by(gone))
    end_by(shown)


def together(work: Callable[[], int]) -> int:
    """Do what all processes of a run do, and give the exit status.

    One of them prints. Those that fail end at once; so do all that are left by another.

    Parameters
    ----------
    work : callable
        Gives the exit status; has told people what they need to know.
    """
    if not join().is_several:
        return work()
    watch()
    try:
        with redirect_stdout(sys.stdout if group().writes else StringIO()):
            status = work()
        if not status:
            stop_watching()
            leave()
    except BaseException:  # nothing may keep the others waiting
        end_by_error()
    if status:
        _end(status)
    return status


def refuse_several(command: str) -> int:
    """Say that a command is one process's, which one of several does, and give the status."""
    line = (
        f"error: {command} works in one process; several train together with "
        "torchrun --nproc_per_node=N run_recbole_imn.py --model=MODEL --dataset=NAME"
    )
    if os.environ.get("RANK") == "0":
        print(line, file=sys.stderr)
    return 2


def _look_after(own: Group, parent: int) -> None:
    while not _Watch.over.wait(PAUSE):
        gone = _first_gone(own)
        if gone is not None and not _Watch.over.is_set():
            end_by(_left_by(gone))
        if os.getppid() != parent:
            end_by(f"error: the launcher of the {own.size} processes has ended{_how_to_go_on()}")


def _first_gone(own: Group) -> Member | None:
    """Give a process of this machine that has ended."""
    here = own.members[own.rank].host
    others = (one for one in own.members if one.host == here and one.rank != own.rank)
    return next((one for one in others if not _is_there(one.pid)), None)


def _is_there(pid: int) -> bool:
    with suppress(OSError):
        # One that has ended stays listed until its parent has asked how.
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _gone_within(seconds: float) -> Member | None:
    for _ in range(round(seconds / PAUSE)):
        gone = _first_gone(group())
        if gone is not None:
            return gone
        _Watch.over.wait(PAUSE)
    return None


def _left_by(member: Member) -> str:
    own = group()
    return (
        f"error: process {member.rank} of {own.size} (0 to {own.size - 1}; pid {member.pid} on "
        f"{member.host}) has ended before its work was done, and the run ends with it"
        f"{_how_to_go_on()}"
    )


def _how_to_go_on() -> str:
    if _Watch.state is None or not _Watch.state.is_file():
        return ""
    return f"; {_Watch.state} is whole: the same command with --resume goes on from there"


def _told_to_end(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C, or because another process has ended, which a launcher answers so."""
    if _Watch.tells:
        # In the middle of it; it ends by itself.
        return
    gone = _first_gone(group())
    if gone is not None:
        end_by(_left_by(gone))
    raise KeyboardInterrupt


def _end(status: int = FAILED) -> NoReturn:
    """End without the exits of libraries, which may wait for processes that are gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
