"""A journal in a Redis stream: for replicas on other machines."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal import redis_server as server
from recbole_imn.serving.journal.base import (
    ALL,
    PAGE,
    READ_INSTEAD,
    Record,
    anonymous,
    check_trim,
    check_users,
    from_text,
    in_order,
    is_forgetting,
    read_pages,
    to_text,
)

Result = TypeVar("Result")
PAUSE = 0.05
"""Seconds between two tries to reach a server that is away."""
LONGEST_WAIT = 1.0
"""Seconds that one command waits at the server for a new record."""
_FIELD = b"record"

# One script is one transaction: a writer that has been replaced, or that does not know the end
# of the stream, adds nothing.
_APPEND = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED') end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local first = last[1] and tonumber(string.match(last[1][1], '^%d+')) + 1 or 1
if first ~= tonumber(ARGV[2]) then return redis.error_reply('OFFSET') end
for k = 3, #ARGV do
    redis.call('XADD', KEYS[1], string.format('%.0f-0', first + k - 3), 'record', ARGV[k])
end
return first + #ARGV - 3
"""
_REPLACE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED') end
redis.call('RENAME', KEYS[3], KEYS[1])
local before = tonumber(redis.call('GET', KEYS[4]) or 0)
redis.call('SET', KEYS[4], string.format('%.0f', math.max(before, tonumber(ARGV[2]))))
return 1
"""
_TRIM = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED') end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[2])
"""


class RedisJournal:
    """A journal in a Redis stream, whose entry ``n-0`` is the record of offset n.

    An append is one script, which the server has in its append-only file, on disk, before it
    answers. When the server is away, calls wait for it; an append whose answer was lost is looked
    for before it is sent again. Any thread may call any method.

    Parameters
    ----------
    url : str
        Such as ``redis://localhost:6379/0``.
    name : str
        Of the stream; keys that begin with ``{name}:`` are the journal's.
    read_only : bool
        Whether to read beside a writer.
    require_fsync : bool
        Whether to refuse a server that may lose what it has acknowledged.
    take_over : bool
        Whether to write in the place of a writer that is still connected; its next append is
        refused.
    patience : float
        How long calls wait for a server that is away, seconds.

    Raises
    ------
    ServingError
        If the package redis is missing, if the server cannot be reached, may lose records, or
        holds something else under these names, or if there is a writer already.
    """

    def __init__(
        self,
        url: str,
        name: str,
        read_only: bool = False,
        require_fsync: bool = True,
        take_over: bool = False,
        patience: float = 30.0,
    ) -> None:
        self.name, self.read_only, self.patience = name, read_only, patience
        self._token = secrets.token_hex(16)
        self._mutex = threading.Lock()
        self._closed = False
        # What is in braces keeps the keys of one journal together in a cluster.
        self._keys = [
            f"{{{name}}}:{key}"
            for key in ("records", "writer", "rewriting", "rewritten", "identity")
        ]
        self._client = server.connect(url, None if read_only else server.writer_name(self._token))
        try:
            with server.explained(name):
                server.check_kind(self._client, self._keys[0])
                if require_fsync:
                    server.check_durable(self._client)
                if not read_only:
                    self._become_writer(take_over)
        except BaseException:
            self._client.close()
            raise

    def append(self, records: Sequence[Record]) -> int:
        """Write records, all of them or none; see :meth:`Journal.append`."""
        texts = [to_text(record).encode() for record in records]
        with self._mutex:
            self._check_writer()
            first = self._end + 1
            if texts:
                self._patiently(lambda: self._append(first, texts))
                self._end += len(texts)
            return self._end

    def read(self, after: int, limit: int = ALL) -> Iterator[tuple[int, Record]]:
        """Read records in order; see :meth:`Journal.read`."""
        return read_pages(self._page, after, limit)

    def follow(self, after: int, timeout: float, limit: int = PAGE) -> list[tuple[int, Record]]:
        """Read records, waiting for the first; see :meth:`Journal.follow`."""
        until = time.monotonic() + timeout
        while not (page := self._page(after, limit)) and (left := until - time.monotonic()) > 0:
            self._wait(after, min(left, LONGEST_WAIT))
        return page

    @property
    def identity(self) -> str:
        """Token of the journal; see :meth:`Journal.identity`."""
        self._check_open()
        return (self._patiently(lambda: self._client.get(self._keys[4])) or b"").decode()

    @property
    def end(self) -> int:
        """Offset of the last record, 0 before the first."""
        self._check_open()
        return self._patiently(self._look_for_end)

    @property
    def start(self) -> int:
        """Offset before the oldest record that is still there."""
        self._check_open()
        entries = self._patiently(lambda: self._client.xrange(self._keys[0], count=1))
        return _offset(entries[0][0]) - 1 if entries else 0

    @property
    def rewritten(self) -> int:
        """Offset up to which records were rewritten, 0 before any."""
        self._check_open()
        return int(self._patiently(lambda: self._client.get(self._keys[3])) or 0)

    def forget(self, user: str, replacement: str) -> None:
        """Put another token in the place of a raw id; see :meth:`Journal.forget`.

        Entries of a stream cannot be changed, so the stream is copied beside itself, and the
        copy takes its name in one step. Then the server writes its files anew.
        """
        check_users(user, replacement)
        with self._mutex:
            self._check_writer()
            if self._end:
                self._patiently(lambda: self._copy(user, replacement))
            self._patiently(lambda: server.write_files_anew(self._client))

    def trim(self, through: int) -> None:
        """Remove the oldest records; see :meth:`Journal.trim`."""
        with self._mutex:
            self._check_writer()
            check_trim(through, self._end)
            self._patiently(lambda: self._script(_TRIM, f"{through + 1}-0"))

    def close(self) -> None:
        """Let another writer have the stream; see :meth:`Journal.close`."""
        with self._mutex:
            self._closed = True
            self._client.close()

    def _become_writer(self, take_over: bool) -> None:
        other = self._client.get(self._keys[1])
        if other and not take_over and server.is_connected(self._client, other.decode()):
            raise ServingError(
                f"the journal {self.name} has a writer already; end it first, {READ_INSTEAD}, or "
                "write in its place: take_over=True in Python"
            )
        self._client.set(self._keys[1], self._token)
        self._client.set(self._keys[4], self._token, nx=True)
        self._end = self._look_for_end()

    def _append(self, first: int, texts: list[bytes]) -> None:
        """Send records; if they are there already, an answer was lost, and nothing is to do."""
        try:
            self._script(_APPEND, first, *texts)
        except server.refusals() as refusal:
            if str(refusal) != "OFFSET" or not self._is_there(first, texts):
                raise

    def _is_there(self, first: int, texts: list[bytes]) -> bool:
        last = first + len(texts) - 1
        entries = self._client.xrange(self._keys[0], f"{first}-0", f"{last}-0")
        return [fields[_FIELD] for _, fields in entries] == texts and self._look_for_end() == last

    def _script(self, script: str, *arguments: Any) -> Any:
        keys = self._keys
        return self._client.eval(script, len(keys), *keys, self._token, *arguments)

    def _look_for_end(self) -> int:
        entries = self._client.xrevrange(self._keys[0], count=1)
        return _offset(entries[0][0]) if entries else 0

    def _page(self, after: int, limit: int) -> list[tuple[int, Record]]:
        self._check_open()
        entries = self._patiently(
            lambda: self._client.xrange(self._keys[0], f"({after}-0", "+", count=limit)
        )
        pairs = ((_offset(key), _record(key, fields, self.name)) for key, fields in entries)
        return list(in_order(pairs, after, self.name))

    def _wait(self, after: int, seconds: float) -> None:
        milliseconds = max(1, round(seconds * 1000))
        self._check_open()
        self._patiently(
            lambda: self._client.xread({self._keys[0]: f"{after}-0"}, count=1, block=milliseconds)
        )

    def _copy(self, user: str, replacement: str) -> None:
        """Copy the stream with another token for a user, and put the copy in its place."""
        copy, through = self._keys[2], self._end
        self._client.delete(copy)
        after = "-"
        while page := self._client.xrange(self._keys[0], after, "+", count=PAGE):
            with self._client.pipeline(transaction=False) as pipeline:
                for key, fields in page:
                    record = _record(key, fields, self.name)
                    offset = _offset(key)
                    changed = anonymous(record, user, replacement) if offset <= through else None
                    if offset <= through and is_forgetting(record, replacement):
                        through = offset
                    text = fields[_FIELD] if changed is None else to_text(changed).encode()
                    pipeline.xadd(copy, {_FIELD: text}, id=key)
                pipeline.execute()
            after = f"({page[-1][0].decode()}"
        self._script(_REPLACE, through)

    def _check_writer(self) -> None:
        if self.read_only:
            raise ServingError(f"the journal {self.name} was opened to be read")
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise ServingError(f"the journal {self.name} is closed; open it again")

    def _patiently(self, command: Callable[[], Result]) -> Result:
        """Run a command, again and again while the server is away."""
        until = time.monotonic() + self.patience
        with server.explained(self.name):
            while True:
                try:
                    return command()
                except server.absences():
                    if time.monotonic() >= until:
                        raise
                time.sleep(PAUSE)


def _offset(key: bytes) -> int:
    return int(key.partition(b"-")[0])


def _record(key: bytes, fields: dict[bytes, bytes], place: str) -> Record:
    return from_text(fields.get(_FIELD, b""), _offset(key), place)
