"""Run the commands of a page and put what they print below them: ``python docs/walk_through.py``.

The page is its own template: a block ``sh`` holds commands, the block ``text`` after it what they
printed. All run in one shell, in a folder of their own. ``--small`` runs the same commands with a
small log, and changes no page.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "from_a_log_to_recommendations.md"
# Commands, and the block that held their output, if there was one.
BLOCKS = re.compile(r"```sh\n(?P<commands>.*?)```\n(?:\n```text\n.*?```\n)?", re.DOTALL)
SMALL = {
    "make_shop.py": "make_shop.py --rows=4000",
    "--epochs=2": "--epochs=1 --embedding_size=16",
}
WIDTH = "100"
PORT = "8000"
# A line that no command prints; the exit status follows.
END = "---- end of the block:"


class StepError(RuntimeError):
    """Commands of the page that failed."""


@dataclass(frozen=True)
class Step:
    """Commands of one block, and what they printed, as the page shows it."""

    commands: str
    printed: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the page's commands, and give the exit status."""
    parser = argparse.ArgumentParser(description="Make the walk-through of the documentation.")
    parser.add_argument("--small", action="store_true", help="a small log; the page stays")
    parser.add_argument("--folder", type=Path, help="to work in and to keep (a temporary one)")
    options = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        steps = []
        for step in walk(commands_of(page), folder, SMALL if options.small else {}):
            print(f"$ {step.commands}{step.printed}", flush=True)
            steps.append(step)
    if not options.small:
        PAGE.write_text(with_outputs(page, steps), encoding="utf-8")
        print(f"written to {PAGE}")
    return 0


def commands_of(page: str) -> list[str]:
    """Give the commands of a page, a text a block."""
    return [found["commands"] for found in BLOCKS.finditer(page)]


def with_outputs(page: str, steps: Sequence[Step]) -> str:
    """Give the page with what its commands have printed."""
    left = iter(steps)

    def written(found: re.Match[str]) -> str:
        printed = next(left).printed
        text = f"\n```text\n{printed}```\n" if printed else ""
        return f"```sh\n{found['commands']}```\n{text}"

    return BLOCKS.sub(written, page)


def walk(
    blocks: Sequence[str],
    folder: Path,
    changes: Mapping[str, str],
    python: str = sys.executable,
) -> Iterator[Step]:
    """Run blocks of commands in one shell.

    Parameters
    ----------
    blocks : sequence of str
    folder : Path
        Where the shell begins; made if it is not there.
    changes : mapping of str to str
        What stands in the commands, and what is run in its place.
    python : str
        The program that ``python`` is.

    Yields
    ------
    Step

    Raises
    ------
    StepError
        At the first block with a command that fails.
    """
    prepare(folder, python)
    port = str(free_port())
    with Shell(folder) as shell:
        for commands in blocks:
            run = commands.replace(f":{PORT}", f":{port}").replace(f"={PORT}", f"={port}")
            for old, new in changes.items():
                run = run.replace(old, new)
            yield Step(commands, tidy(shell.run(run), folder, port))


def prepare(folder: Path, python: str = sys.executable) -> None:
    """Make a folder in which ``python`` is a program, beside what a checkout has."""
    (folder / "bin").mkdir(parents=True)
    file = folder / "bin" / "python"
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n')
    file.chmod(0o755)
    for name in ("examples", "run_recbole_imn.py"):
        (folder / name).symlink_to(ROOT / name)


def free_port() -> int:
    """Give the number of a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Shell:
    """A shell that runs blocks of commands, each where the last one ended."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ,
            "PATH": f"{(folder / 'bin').resolve()}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": WIDTH,
            # The service is on this machine, whatever stands between it and others.
            "no_proxy": "127.0.0.1,localhost",
        }
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        self._write(f'trap \'printf "\\n%s %d\\n" "{END}" $?\' EXIT\n')

    def __enter__(self) -> Shell:
        """Give the shell."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and all that it has started: a server may be left by a block that failed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate()

    def run(self, commands: str, fails: bool = False) -> str:
        """Run commands, and give what they print on both streams.

        Raises
        ------
        StepError
            If one of them fails; where ``fails`` says that one is to, if none does.
        """
        # `eval` takes the block as a whole, so that no command reads the next ones as its input.
        block = shlex.quote(f"set -e -o pipefail\n{commands}")
        # A block that is to fail runs in a shell of its own, so that this one goes on.
        start = f"(eval {block})" if fails else f"eval {block}"
        self._write(f"{start} < /dev/null\nstatus=$?\nset +e\necho\necho '{END}' $status\n")
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # After a failure, what the shell has started may go on writing.
            if line.startswith(END):
                status = line.removeprefix(END).strip()
                break
            lines.append(line)
        else:
            status = "unknown"
        if (status != "0") != fails:
            shown = "".join(lines)
            raise StepError(f"status {status} of a command of this block:\n{commands}\n{shown}")
        return "".join(lines)

    def _write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()


def tidy(printed: str, folder: Path, port: str) -> str:
    """Take out what differs from run to run: folders, ports, dates of files."""
    printed = printed.replace(str(folder.resolve()), "..").replace(f":{port}", f":{PORT}")
    printed = printed.replace(sys.executable, "python")
    printed = re.sub(r"(IMNNetPlus(?:-shop)?)-\w+-\d+-\d+_[\d-]+-\w+", r"\1-DATE", printed)
    lines = [line.rstrip() for line in printed.splitlines()]
    text = "\n".join(lines).strip("\n")
    return f"{text}\n" if text else ""


if __name__ == "__main__":
    sys.exit(main())
