"""Files that are read in one sitting."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 350


@pytest.mark.parametrize("folder", ["recbole_imn", "tests", "benchmarks", "docs", "examples"])
def test_no_file_is_long(folder):
    lengths = {
        file.relative_to(ROOT): len(file.read_text(encoding="utf-8").splitlines())
        for file in (ROOT / folder).rglob("*.py")
    }
    assert lengths
    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}
