"""Journals of both kinds."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from recbole_imn.serving.journal import RedisJournal, SqliteJournal
from tests.serving.journal.running_redis import DURABLE, RunningRedis


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory):
    """A durable server for the tests of a file; they may kill it, and start it again."""
    server = RunningRedis(tmp_path_factory.mktemp("redis"), *DURABLE).start()
    yield server
    server.kill()


class Places:
    """Opens journals of a kind, and closes them all in the end."""

    def __init__(self, kind: str, folder: Path, url: str) -> None:
        self.kind, self.folder, self.url = kind, folder, url
        self._opened: list = []

    def new(self) -> str:
        return f"j{uuid.uuid4().hex}"

    def open(self, name: str, **options):
        journal = (
            SqliteJournal(self.folder / name, **options)
            if self.kind == "sqlite"
            else RedisJournal(self.url, name, **options)
        )
        self._opened.append(journal)
        return journal

    def close(self) -> None:
        for journal in self._opened:
            journal.close()


@pytest.fixture(params=["sqlite", "redis"])
def places(request, tmp_path: Path):
    """Where journals of a kind are."""
    url = request.getfixturevalue("redis_server").url if request.param == "redis" else ""
    opened = Places(request.param, tmp_path, url)
    yield opened
    opened.close()
