"""The command ``serve``, in processes of its own."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep

import httpx
import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving.http.run import KEY_VARIABLE, add_command, opening_of, serve, settings_of

KEY = "a-key-that-nobody-guesses"
PROGRAM = """
import argparse, sys
from recbole_imn.serving.http.run import add_command, serve

parser = argparse.ArgumentParser()
add_command(parser.add_subparsers())
try:
    sys.exit(serve(parser.parse_args(["serve", *sys.argv[1:]])))
except ValueError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
"""


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    return parser.parse_args(["serve", *words])


@contextmanager
def served(*words: object, ready: bool = True):
    """Run the command; give the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words), "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("serving on "), process.stderr.read()
        address = line.split()[-1]
        until = monotonic() + 60
        while ready and httpx.get(f"{address}ready").status_code != 200:
            assert process.poll() is None
            assert monotonic() < until
            sleep(0.05)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen, by: int) -> int:
    process.send_signal(by)
    return process.wait(60)


def test_events_outlive_the_service_and_reach_its_replicas(
    checkpoint, recommender, tmp_path, after
):
    user, item = recommender.users[0], recommender.items[0]
    event = {"user": user, "item": item, "time": after, "behavior": "bid", "key": "first"}
    place = ("--journal", tmp_path / "journal.db", "--snapshots", tmp_path / "snapshots")
    path = f"users/{user}/recommendations"
    with served(checkpoint, *place) as (process, writer):
        assert httpx.post(f"{writer}events", json=event).json()["accepted"] == 1
        told = httpx.get(f"{writer}{path}").json()
        with served(checkpoint, *place, "--follow") as (follower, replica):
            assert httpx.get(f"{replica}{path}").json() == told
            assert httpx.post(f"{replica}events", json=event).status_code == 409
            second = {**event, "item": recommender.items[1], "key": "second"}
            httpx.post(f"{writer}events", json=second)
            told = httpx.get(f"{writer}{path}").json()
            until = monotonic() + 30
            while httpx.get(f"{replica}{path}").json() != told and monotonic() < until:
                sleep(0.05)
            assert httpx.get(f"{replica}{path}").json() == told
            assert ended(follower, signal.SIGTERM) == 0
        # Not told to stop, but killed: what was acknowledged is in the journal.
        process.kill()
        process.wait()
    with served(checkpoint, *place) as (process, writer):
        assert httpx.get(f"{writer}{path}").json() == told
        again = httpx.post(f"{writer}events", json=event).json()
        assert again["dropped"] == {"duplicate": 1}
        assert ended(process, signal.SIGINT) == 0
    # A snapshot was written in the end, and the journal given back.
    assert list((tmp_path / "snapshots").glob("snapshot-2.pth"))


def test_half_sent_bodies_do_not_hold_up_the_end(checkpoint):
    with served(checkpoint) as (process, address), ExitStack() as open_ones:
        port = int(address.rstrip("/").rpartition(":")[2])
        for _ in range(3):
            half = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(
                b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
        assert httpx.get(f"{address}about").status_code == 200
        process.send_signal(signal.SIGTERM)
        # Long before the time that requests have to finish is over.
        assert half.recv(1000).startswith(b"HTTP/1.1 503 ")
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_a_checkpoint_that_cannot_be_used_is_told_in_one_line(tmp_path):
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    with served(tmp_path / "broken.pth", ready=False) as (process, _):
        assert process.wait(60) == 2
        error = process.stderr.read()
    assert error.startswith("error: ")
    assert "broken.pth" in error
    assert error.count("\n") == 1


def test_other_machines_are_let_in_with_a_key_only(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert settings_of(options("x.pth")).hosts == ("127.0.0.1", "localhost", "[::1]")
    for host in ("127.0.0.2", "::1", "localhost"):
        settings_of(options("x.pth", "--host", host))
    for host in ("0.0.0.0", "::", "example.org"):
        with pytest.raises(ServingError, match="give an API key"):
            settings_of(options("x.pth", "--host", host))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    settings = settings_of(options("x.pth", "--host", "0.0.0.0", "--allow-host", "Shop.example"))
    assert (settings.api_key, settings.hosts) == (KEY, ("shop.example",))


def test_the_key_is_read_from_a_file_or_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    assert settings_of(options("x.pth", "--api-key-file", str(file))).api_key == KEY
    file.write_text("short")
    with pytest.raises(ServingError, match="has 5 characters"):
        settings_of(options("x.pth", "--api-key-file", str(file)))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with pytest.raises(ServingError, match="leave one out"):
        settings_of(options("x.pth", "--api-key-file", str(file)))


def test_rules_and_places(checkpoint, tmp_path):
    opening = opening_of(options(str(checkpoint), "--late", "now", "--duplicate", "accept"))
    assert (opening.rules.late, opening.rules.duplicate, opening.rules.future) == (
        "now",
        "accept",
        "refuse",
    )
    assert opening.folder == checkpoint.with_suffix(".snapshots")
    with pytest.raises(ServingError, match="--follow needs the --journal"):
        opening_of(options(str(checkpoint), "--follow"))
    with pytest.raises(ServingError, match="there is no checkpoint"):
        serve(options(str(tmp_path / "none.pth")))
    with pytest.raises(SystemExit):
        options("x.pth", "--port", "70000")


def test_the_checkpoint_is_no_journal(checkpoint):
    with pytest.raises(ServingError, match="which is the checkpoint"):
        opening_of(options(str(checkpoint), f"--journal={checkpoint}"))


def test_options_are_read_without_the_extra_and_its_lack_is_told(checkpoint):
    program = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'uvicorn', 'prometheus_client'):\n"
        "    sys.modules[name] = None\n" + PROGRAM
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(checkpoint)], capture_output=True, text=True
    )
    assert found.returncode == 2
    assert found.stderr.startswith("error: serve needs ")
    assert "pip install 'recbole_imn[serve]'" in found.stderr
    assert found.stderr.count("\n") == 1
