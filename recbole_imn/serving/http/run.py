"""The command ``python -m recbole_imn serve``."""

from __future__ import annotations

import argparse
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import get_args

import torch

from recbole_imn.arguments import positive
from recbole_imn.errors import ServingError
from recbole_imn.places import is_same
from recbole_imn.serving.durable import SNAPSHOT_EVERY
from recbole_imn.serving.http.opening import Opening
from recbole_imn.serving.http.settings import HttpSettings
from recbole_imn.serving.policies import Policies, Repeated, Untimely

KEY_VARIABLE = "RECBOLE_IMN_API_KEY"
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``serve`` and its options to the commands."""
    parser = commands.add_parser(
        "serve", help="recommend over HTTP, with a page to try it on; see docs/http.md"
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="with a snapshot in it")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (this machine)")
    parser.add_argument("--port", type=_port, default=8000, help="0 for any free one (8000)")
    parser.add_argument("--journal", metavar="PATH|URL", help="a file, or redis://HOST:PORT/N")
    parser.add_argument("--follow", action="store_true", help="a read-only replica of the journal")
    parser.add_argument(
        "--snapshots", type=Path, metavar="FOLDER", help="of the journal (CHECKPOINT.snapshots)"
    )
    parser.add_argument(
        "--snapshot-every",
        type=positive,
        default=SNAPSHOT_EVERY,
        metavar="RECORDS",
        help=f"so that a restart has little to replay ({SNAPSHOT_EVERY})",
    )
    _add_rules(parser)
    _add_limits(parser)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    rules = Policies()
    for name, kind, what in (
        ("late", Untimely, "earlier than the last one; now: as of its time"),
        ("duplicate", Repeated, "equal to one before"),
        ("future", Untimely, "later than the clock; now: as of the clock"),
    ):
        default = getattr(rules, name)
        parser.add_argument(
            f"--{name}",
            choices=get_args(kind),
            default=default,
            help=f"events {what} ({default})",
        )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = HttpSettings()
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help=f"the key; or set {KEY_VARIABLE}",
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="name to be called by"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=limits.rate,
        help=f"requests a second of one client; 0: any ({limits.rate:g})",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=limits.threads,
        help=f"requests computed at a time ({limits.threads})",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, 0 to 65535")
    return int(text)


def serve(options: argparse.Namespace) -> int:
    """Serve until told to stop (Ctrl-C, SIGTERM), and give the exit status.

    Requests that have begun are finished, and the journal is closed.

    Parameters
    ----------
    options : argparse.Namespace
        As :func:`add_command` reads them.

    Raises
    ------
    ValueError
        If options, checkpoint or journal do not allow it; one line for people.
    OSError
        If the address is taken, or a file cannot be read.
    """
    settings, opening = settings_of(options), opening_of(options)
    run_server = _server()
    # Requests run beside each other; threads within one would only be in their way.
    torch.set_num_threads(1)
    with _listening(options.host, options.port) as listener, _quiet_signals():
        address = listener.getsockname()
        print(f"serving on {_url(address[0], address[1])}", flush=True)
        if opening.journal is None:
            print("without --journal, what is observed is lost at the end", flush=True)
        run_server(settings, opening, listener)
    print("stopped", flush=True)
    return 0


def _server() -> Callable[[HttpSettings, Opening, socket.socket], None]:
    try:
        from recbole_imn.serving.http.server import run_server
    except ModuleNotFoundError as error:
        raise ServingError(
            f"serve needs {error.name}, which is not installed: pip install 'recbole_imn[serve]'"
        ) from error
    return run_server


def settings_of(options: argparse.Namespace) -> HttpSettings:
    """Give the settings of the service, with the API key from where it is kept.

    Raises
    ------
    ServingError
        If others than this machine could call without a key.
    """
    key = _key(options.api_key_file)
    if key is None and not _is_own(options.host):
        raise ServingError(
            f"--host {options.host} lets other machines in; give an API key with --api-key-file "
            f"or {KEY_VARIABLE}"
        )
    own = OWN_HOSTS if key is None else ()
    names = tuple(name.lower() for name in options.allow_host)
    return HttpSettings(
        api_key=key,
        hosts=(*own, *names),
        read_only=options.follow,
        rate=options.rate,
        threads=options.threads,
    )


def _key(file: Path | None) -> str | None:
    given = os.environ.get(KEY_VARIABLE)
    if file is not None and given is not None:
        raise ServingError(f"both --api-key-file and {KEY_VARIABLE} are there; leave one out")
    return given if file is None else file.read_text(encoding="utf-8").strip()


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def opening_of(options: argparse.Namespace) -> Opening:
    """Say what is to be served, and how.

    Raises
    ------
    ServingError
        If there is nothing to follow, or no checkpoint.
    """
    if options.follow and options.journal is None:
        raise ServingError("--follow needs the --journal that is to be followed")
    if not options.checkpoint.is_file():
        raise ServingError(f"there is no checkpoint {options.checkpoint}")
    if options.journal is not None and is_same(Path(options.journal), options.checkpoint):
        raise ServingError(f"--journal is {options.journal}, which is the checkpoint")
    return Opening(
        options.checkpoint,
        Policies(options.late, options.duplicate, options.future),
        options.journal,
        options.follow,
        options.snapshots or options.checkpoint.with_suffix(".snapshots"),
        options.snapshot_every,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        yield listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Let signals do nothing but stop the server, which raises them again when it has stopped."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: None) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
