"""Running the converter as a user does, and reading what it wrote."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from recbole_imn.__main__ import main

LOG = "timestamp:float"


class Workshop:
    """A folder with input files and the data sets made of them."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self.output, self.capsys = folder, folder / "atomic", capsys

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def convert(self, source: str, path: Path, *options: str, name: str = "set") -> str:
        """Convert and give what was printed."""
        arguments = ["convert", source, f"--input={path}", f"--name={name}", *options]
        status = main([*arguments, f"--output={self.output}"])
        printed = self.capsys.readouterr()
        assert status == 0, printed.err
        return printed.out

    def fail(self, source: str, path: Path, *options: str, name: str = "set") -> str:
        """Convert, expect one line of error, and give it."""
        arguments = ["convert", source, f"--input={path}", f"--name={name}", *options]
        assert main([*arguments, f"--output={self.output}"]) == 2
        printed = self.capsys.readouterr()
        assert printed.out == ""
        line = printed.err.rstrip("\n").rpartition("\n")[2]
        assert line.startswith("error: ")
        return line

    def rows(self, suffix: str = "inter", name: str = "set") -> list[dict[str, str]]:
        """Read an atomic file as dictionaries without types in their keys."""
        text = (self.output / name / f"{name}.{suffix}").read_text(encoding="utf-8")
        header, *lines = [line.split("\t") for line in text.split("\n")[:-1]]
        fields = [column.partition(":")[0] for column in header]
        return [dict(zip(fields, line, strict=True)) for line in lines]

    def header(self, suffix: str = "inter", name: str = "set") -> str:
        text = (self.output / name / f"{name}.{suffix}").read_text(encoding="utf-8")
        return text.partition("\n")[0]

    def rejected(self, name: str = "set") -> list[tuple[int, str, str]]:
        path = self.output / name / f"{name}.rejected.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [(int(r["line"]), r["kind"], r["row"]) for r in csv.DictReader(file)]

    def about(self, name: str = "set") -> dict:
        return json.loads((self.output / name / f"{name}.source.json").read_text("utf-8"))

    def files(self, name: str = "set") -> dict[str, bytes]:
        folder = self.output / name
        return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}


@pytest.fixture
def shop(tmp_path, capsys) -> Workshop:
    return Workshop(tmp_path, capsys)
