"""Programs in fresh processes, which have seen neither RecBole nor a mend of it."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import recbole_imn

# What takes long to import and no mend changes is imported once; every program then gets a
# process that has seen neither RecBole nor a mend.
FORK = """
import json, os, sys, traceback
import pandas, scipy.sparse, sklearn, torch, torch.utils.tensorboard

def run(folder, program, arguments):
    os.chdir(folder)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["test", *arguments]
    exec(program, {"__name__": "__main__"})

assert not {"recbole", "ray"} & set(sys.modules)
statuses = []
for job in json.load(sys.stdin):
    child = os.fork()
    if not child:
        status = 1
        try:
            run(*job)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(status)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(statuses))
"""


def job(program, folder, skip=(), arguments=()):
    """Describe a program that has loaded nothing of the package but the mends."""
    start = f"""
        import sys, types, warnings
        warnings.simplefilter("ignore")
        # The package itself would apply every mend.
        package = types.ModuleType("recbole_imn")
        package.__path__ = {list(recbole_imn.__path__)!r}
        sys.modules["recbole_imn"] = package
        from recbole_imn import compat
        compat.apply(skip={tuple(skip)!r})
    """
    return str(folder), textwrap.dedent(start) + textwrap.dedent(program), list(arguments)


def run(*jobs):
    """Run programs one after another, each in a fresh process, and give what came of them."""
    forked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        # On a busy machine a second thread makes small products a hundred times slower.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert forked.returncode == 0, forked.stderr
    statuses = json.loads(forked.stdout)
    return [
        SimpleNamespace(
            returncode=status,
            stdout=Path(folder, "stdout").read_text(),
            stderr=Path(folder, "stderr").read_text(),
        )
        for status, (folder, _, _) in zip(statuses, jobs, strict=True)
    ]
