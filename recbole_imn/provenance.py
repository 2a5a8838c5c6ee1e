"""Where a result comes from: code, packages, machine and data."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recbole_imn.errors import DataError
from recbole_imn.files import feed

ATOMIC_SUFFIXES = (".inter", ".item", ".user", ".net", ".kg", ".link")
PACKAGES = ("recbole_imn", "recbole", "torch", "numpy", "pandas", "scipy")
#: Settings without influence on figures.
NOT_SHAPING = frozenset(
    {
        "tuning",
        "resume",
        "resume_minutes",
        "show_progress",
        "screen",
        "state",
        "verbose",
        "log_wandb",
        "wandb_project",
        "checkpoint_dir",
        "data_path",
        "config_files",
        "gpu_id",
        "share_tables",
    }
)


def fingerprint(folder: Path, name: str) -> str:
    """Hash the bytes of a data set's atomic files.

    Parameters
    ----------
    folder : Path
        Where NAME.inter lies.
    name : str
        Name of the data set.

    Returns
    -------
    str
        'sha256:' and 64 hexadecimal digits, the same wherever the same files lie.

    Raises
    ------
    DataError
        If NAME.inter does not exist.
    """
    if not (folder / f"{name}.inter").is_file():
        raise DataError(f"{folder / name}.inter does not exist; there is no data to fingerprint")
    digest = hashlib.sha256()
    for suffix in ATOMIC_SUFFIXES:
        file = folder / f"{name}{suffix}"
        if file.is_file():
            # Suffix and size keep the border between two files.
            digest.update(f"{suffix} {file.stat().st_size}\n".encode())
            with file.open("rb") as stream:
                feed(digest, stream)
    return f"sha256:{digest.hexdigest()}"


def commit(folder: Path | None = None) -> str | None:
    """Give the git commit of a source folder, the package's by default.

    Returns
    -------
    str or None
        40 hexadecimal digits, with '-dirty' if tracked files were changed since. None if git
        is missing or the folder is in no repository, or only ignored there.
    """
    folder = folder or Path(__file__).parent
    # A virtual environment may lie inside somebody else's repository.
    if not _git(folder, "ls-files"):
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{_git(folder, 'rev-parse', 'HEAD')}{'-dirty' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return run.stdout.strip()


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Give the versions of Python and of some packages."""
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str:
    """Give a version; what is used from its folder, as a checkout of ours can be, has none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def environment() -> dict[str, str]:
    """Give commit, versions and machine as plain text."""
    return {
        "commit": commit() or "none: not a git checkout",
        **versions((*PACKAGES, "pyarrow", "plotly")),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def comment_lines(facts: Mapping[str, object]) -> str:
    """Write facts as the comment head of a yaml file, a line each."""
    return "".join(f"# {name}: {value}\n" for name, value in facts.items())
