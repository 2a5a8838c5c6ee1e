"""What a journal asks of a Redis server, and what the server's refusals mean."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recbole_imn.errors import JournalError, ServingError, one_line

ANSWER = 10.0
"""Seconds after which an answer counts as lost."""
_DURABLE = {"appendonly": "yes", "appendfsync": "always"}


def _redis() -> Any:
    """Import the package where it is used: it is optional."""
    try:
        import redis
    except ImportError as error:
        raise ServingError(
            "a journal in Redis needs the package redis: pip install 'recbole_imn[redis]'"
        ) from error
    return redis


def connect(url: str, client_name: str | None) -> Any:
    """Make a client; it connects with its first command, and again after each loss.

    Raises
    ------
    ServingError
        If it is no url of a Redis server, or the package is missing.
    """
    redis = _redis()
    try:
        return redis.Redis.from_url(
            url,
            client_name=client_name,
            socket_timeout=ANSWER,
            socket_connect_timeout=ANSWER,
            # Whoever sends a command again must first see whether it was carried out.
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )
    except ValueError as error:
        raise ServingError(f"{url!r} is no url of a Redis server: {error}") from error


def writer_name(token: str) -> str:
    """Name the connections of a writer, so that others see whether it still has any."""
    return f"journal-writer-{token}"


def is_connected(client: Any, token: str) -> bool:
    """Whether the writer of a token has connections."""
    return any(one["name"] == writer_name(token) for one in client.client_list())


def check_kind(client: Any, key: str) -> None:
    """Refuse a key that holds something else than a journal.

    Raises
    ------
    ServingError
    """
    kind = client.type(key).decode()
    if kind not in ("none", "stream"):
        raise ServingError(f"the key {key} is a {kind}, no journal; choose another name")
    for entry, fields in client.xrevrange(key, count=1) if kind == "stream" else ():
        if not entry.endswith(b"-0") or b"record" not in fields:
            raise ServingError(f"the stream {key} is no journal; choose another name")


def check_durable(client: Any) -> None:
    """Refuse a server that may lose what it has acknowledged.

    Raises
    ------
    ServingError
        If it does not write each command to disk before it answers, if it may evict keys, or if
        it does not say.
    """
    try:
        settings = {**client.config_get("append*"), **client.config_get("maxmemory*")}
    except refusals() as error:
        raise ServingError(
            f"the Redis server does not say whether it loses records ({error}); allow CONFIG GET, "
            "or open the journal with require_fsync=False"
        ) from error
    wrong = [f"{key} {value}" for key, value in _DURABLE.items() if settings.get(key) != value]
    evicts = str(settings.get("maxmemory-policy", "")).startswith("allkeys")
    if evicts and settings.get("maxmemory") != "0":
        wrong.append("maxmemory-policy noeviction")
    if wrong:
        raise ServingError(
            f"the Redis server may lose records; set {', '.join(wrong)} in its configuration, or "
            "open the journal with require_fsync=False"
        )


def write_files_anew(client: Any) -> None:
    """Let the server write its files of what it holds now, and wait until it has.

    Raises
    ------
    ServingError
        If it could not.
    """
    if client.info("persistence")["aof_enabled"]:
        _wait_for(client, "aof_rewrite_in_progress")
        client.bgrewriteaof()
        _wait_for(client, "aof_rewrite_in_progress", "aof_rewrite_scheduled")
        _check(client, "aof_last_bgrewrite_status")
    if client.lastsave() and client.config_get("save").get("save"):
        _wait_for(client, "rdb_bgsave_in_progress")
        client.bgsave()
        _wait_for(client, "rdb_bgsave_in_progress")
        _check(client, "rdb_last_bgsave_status")


def _wait_for(client: Any, *tasks: str) -> None:
    while any(client.info("persistence")[task] for task in tasks):
        time.sleep(0.02)


def _check(client: Any, status: str) -> None:
    found = client.info("persistence")[status]
    if found != "ok":
        raise ServingError(
            f"the Redis server could not write its files anew ({status}: {found}), so they may "
            "still have the id; see its log, then forget the user again"
        )


def absences() -> tuple[type[Exception], ...]:
    """Give what is raised while a server is away, stops or starts."""
    redis = _redis()
    return (redis.ConnectionError, redis.TimeoutError)


def refusals() -> type[Exception]:
    """Give what is raised when a server refuses a command."""
    refusal: type[Exception] = _redis().ResponseError
    return refusal


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Say in one line what a server, or the way to it, refuses.

    Raises
    ------
    ServingError
    """
    try:
        yield
    except absences() as error:
        raise JournalError(
            f"the Redis server of the journal {name} cannot be reached ({one_line(error)}); "
            "start it, or correct the url"
        ) from error
    except refusals() as error:
        raise JournalError(_meaning(name, one_line(error))) from error


def _meaning(name: str, refusal: str) -> str:
    if refusal == "FENCED":
        return f"the journal {name} has another writer now; nothing was written, end this one"
    if refusal == "OFFSET":
        return (
            f"the journal {name} does not end where this writer left it: the server has lost "
            "records, or somebody else has written; open the journal again"
        )
    return f"the Redis server of the journal {name} refuses: {refusal}"
