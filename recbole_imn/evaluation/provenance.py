"""What a result came from: commit, versions, machine, and the very bytes of the data."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recbole_imn.registry import PACKAGE

PACKAGES = ("recbole_imn", "recbole", "torch", "numpy", "pandas", "scipy", "pyarrow", "plotly")
BLOCK = 1 << 20


def environment() -> dict[str, str]:
    """Give commit, versions and machine as plain text."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def commit() -> str:
    """Give the commit of the package's repository, marked where files differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        # An installed package may lie inside somebody else's repository.
        if not git("ls-files", str(PACKAGE / "__init__.py")):
            return "none: not a git checkout"
        changed = " with changes" if git("status", "--porcelain", "-uno") else ""
        return git("rev-parse", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "none: not a git checkout"


def fingerprint(folder: Path, dataset: str) -> str:
    """Give the SHA-256 of a data set's atomic files, names included.

    Parameters
    ----------
    folder : Path
        The folder of the data set itself.
    dataset : str
        Name of the data set.
    """
    digest = hashlib.sha256()
    for suffix in ("inter", "item", "user"):
        file = folder / f"{dataset}.{suffix}"
        if file.is_file():
            digest.update(f"{suffix} {file.stat().st_size}\n".encode())
            with file.open("rb") as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
    return digest.hexdigest()


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of another when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    part = Path(name)
    # Made for its owner alone; results are as public as other files.
    part.chmod(0o644)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
