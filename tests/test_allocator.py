"""Memory that tensors leave is kept, in a process of its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest

from recbole_imn.allocator import keep_freed_memory

SCRIPT = """
import json, resource
import torch
from recbole_imn.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

done = keep_freed_memory()
for _ in range(3):
    torch.ones(1 << 24)
before = faults()
for _ in range(10):
    torch.ones(1 << 24)
print(json.dumps([done, faults() - before]))
"""
PAGES = 10 * (1 << 26) // 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="without glibc")
def test_pages_of_large_tensors_are_used_again():
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    words = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(words, env=own, check=True, capture_output=True, text=True)
    done, faults = json.loads(run.stdout)

    assert done
    assert faults < PAGES / 100


def test_settings_of_the_user_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")

    assert not keep_freed_memory()
