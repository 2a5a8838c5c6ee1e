"""Starting programs with torchrun's module, on this machine and a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def launch(folder: Path, program: Path, *arguments: str, size: int = 2) -> subprocess.Popen:
    """Start a program in so many processes, in a folder."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={size}"]
    where = ["--master_addr=127.0.0.1", f"--master_port={free_port()}"]
    return subprocess.Popen(
        [*torchrun, *where, str(program), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )
