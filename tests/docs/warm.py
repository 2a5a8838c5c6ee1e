"""A Python that has imported the package already, so that a command begins at once.

A server imports what takes long, and forks a process for every program; a small client stands where
``python`` would, hands its arguments, folder, environment and streams over, and ends as the program
does. Programs share nothing but what was imported.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from pathlib import Path

# The first one mends RecBole.
PROGRAMS = (
    "recbole_imn",
    "recbole.quick_start",
    "recbole_imn.data.convert.command",
    "recbole_imn.data.describe.command",
    "recbole_imn.doctor",
    "recbole_imn.evaluation.benchmark.run",
    "recbole_imn.evaluation.report",
    "recbole_imn.serving.commands.export",
    "recbole_imn.serving.http.run",
    "recbole_imn.serving.updating.command",
    "recbole_imn.tuning.command",
)
CLIENT = """#!{python} -IS
import json, os, signal, socket, struct, sys
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
asked = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(link, [struct.pack("I", len(asked))], [0, 1, 2])
link.sendall(asked)
program = struct.unpack("i", link.recv(4, socket.MSG_WAITALL))[0]
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: os.kill(program, number))
sys.exit(struct.unpack("i", link.recv(4, socket.MSG_WAITALL))[0])
"""


@contextlib.contextmanager
def warm_python(folder: Path):
    """Give a file that stands for ``python`` while the server runs."""
    folder.mkdir(parents=True, exist_ok=True)
    address, client = str(folder / "link"), folder / "python"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        listener.set_inheritable(True)
        command = [sys.executable, "-m", "tests.docs.warm", str(listener.fileno()), str(client)]
        server = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env=environment, close_fds=False
        )
    client.write_text(CLIENT.format(python=sys.executable, address=address))
    client.chmod(0o755)
    try:
        yield client
    finally:
        server.kill()
        server.wait()


def serve(listener: socket.socket, client: str) -> None:
    """Fork for every program, and end in its process as it does; the server never ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        link, _ = listener.accept()
        if os.fork():
            link.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        header, streams, _, _ = socket.recv_fds(link, 4, 3)
        (length,) = struct.unpack("I", header)
        arguments, folder, environment = json.loads(link.recv(length, socket.MSG_WAITALL))
        program = os.fork()
        if program:
            link.sendall(struct.pack("i", program))
            status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
            link.sendall(struct.pack("i", status if status >= 0 else 128 - status))
            os._exit(0)
        link.close()
        status = begin(arguments[1:], folder, environment, streams, client)
        # As an interpreter ends, but for taking apart all that was imported.
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        os._exit(status)


def begin(arguments, folder, environment, streams, client) -> int:
    """Run a program in this process as ``python ARGUMENTS`` would, and give its status."""
    for descriptor, stream in enumerate(streams):
        os.dup2(stream, descriptor)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww")
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # Programs that it starts are warm as well.
    sys.executable = client
    try:
        run(arguments)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def run(arguments) -> None:
    """Run a module, a file, or what the standard input says."""
    if arguments[0] == "-m":
        sys.argv, sys.path[0] = arguments[1:], os.getcwd()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-":
        sys.argv, sys.path[0] = arguments, ""
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")


def load() -> None:
    """Import what programs import, but for ``recbole_imn.__main__``, which they run."""
    for module in PROGRAMS:
        importlib.import_module(module)


if __name__ == "__main__":
    load()
    # What was imported is not looked at again in every process, which would copy it.
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
