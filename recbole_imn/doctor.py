"""A self-check: what is installed, what was mended, and what to do about anything wrong."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from recbole_imn import compat
from recbole_imn.stream.products import rows_agree

PACKAGES = ("recbole_imn", "recbole", "torch", "numpy", "pandas", "scipy", "ray", "setuptools")
OLDEST_PYTHON = (3, 10)
FOLDERS = (".", "atomic_files", "saved", "log", "log_tensorboard")
# As in setup.py. Before torch 2.6, reading a checkpoint executed code unless told otherwise.
OLDEST = {"torch": (2, 6), "numpy": (1, 26), "pandas": (2, 2)}


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    subject, state : str
        What was looked at, and what was found.
    remedy : str
        What to do; empty if nothing is wrong.
    prevents_running : bool
        Whether what is wrong must be mended first; else it is only slow.
    """

    subject: str
    state: str
    remedy: str = ""
    prevents_running: bool = True


def main() -> int:
    """Print the report; give 1 if something prevents running, else 0."""
    findings = examine()
    print(report(findings))
    return int(any(finding.remedy and finding.prevents_running for finding in findings))


def examine() -> list[Finding]:
    """Look at versions, mends, devices, threads and folders."""
    return [*_versions(), *_mends(), *_machine(), *(_folder(Path(name)) for name in FOLDERS)]


def report(findings: Sequence[Finding]) -> str:
    """Lay out findings, one a line, what to do below its line."""
    lines = []
    for finding in findings:
        mark = "!" if finding.remedy else " "
        lines.append(f"{mark} {finding.subject:<28} {finding.state}")
        if finding.remedy:
            lines.append(f"    -> {finding.remedy}")
    wrong = sum(bool(finding.remedy) for finding in findings)
    return "\n".join([*lines, "", f"{wrong} to mend" if wrong else "all is well"])


def _versions() -> list[Finding]:
    findings = [Finding("python", platform.python_version(), _python_remedy(sys.version_info[:2]))]
    for package in PACKAGES:
        try:
            findings.append(Finding(package, version(package), _package_remedy(package)))
        except PackageNotFoundError:
            # Only ray and setuptools can be missing: nothing needs them.
            findings.append(Finding(package, "not installed"))
    return findings


def _python_remedy(found: tuple[int, ...]) -> str:
    return "" if found >= OLDEST_PYTHON else "use Python 3.10 or a later one"


def _package_remedy(package: str) -> str:
    found = version(package)
    if package == "recbole" and found != compat.RECBOLE_VERSION:
        return f"{compat.INSTALL}; the mends are made for it"
    oldest = OLDEST.get(package, (0, 0))
    if tuple(int(number) for number in re.findall(r"\d+", found)[:2]) < oldest:
        return f'pip install "{package}>={oldest[0]}.{oldest[1]}"; older ones are not supported'
    return ""


def _mends() -> list[Finding]:
    return [
        Finding(f"mend {mend.name}", f"{mend.reason} ({mend.upstream})")
        for mend in compat.applied()
    ]


def _machine() -> list[Finding]:
    cuda = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if cuda else "none, the processor is used"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = torch.get_num_threads()
    remedy = ""
    if cores and threads > cores:
        remedy = f"set OMP_NUM_THREADS={cores}; more threads than cores wait for each other"
    return [
        Finding("graphics processor", device),
        Finding("threads", f"{threads} on {cores} cores", remedy, prevents_running=False),
        _products(),
        _tables(),
    ]


def _tables() -> Finding:
    """Check that parquet can be written: pyarrow does not say which numpy it needs."""
    try:
        import pyarrow
    except ImportError as error:
        return Finding("pyarrow", str(error), 'pip install --upgrade "numpy>=2" pyarrow')
    return Finding("pyarrow", pyarrow.__version__)


def _products() -> Finding:
    """Check on this processor what scores without a future rest on, to the last bit."""
    if rows_agree():
        return Finding("products", "a row's result does not depend on the number of rows")
    remedy = "raise MOST_ROWS in recbole_imn/stream/products.py, and please report it"
    state = "small products round differently; later events may change a score's last bit"
    return Finding("products", state, remedy, prevents_running=False)


def _folder(folder: Path) -> Finding:
    """Check that a folder of the working folder can be written to, or made."""
    nearest = folder if folder.exists() else Path()
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Finding(f"folder {folder}/", "writable" if folder.exists() else "can be made")
    return Finding(
        f"folder {folder}/",
        "not writable",
        f"make {(Path.cwd() / nearest).resolve()} a writable folder, or work in another one",
    )
