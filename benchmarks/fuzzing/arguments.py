"""Cases of arguments: all commands, with options that are wrong, odd or hostile."""

from __future__ import annotations

from random import Random
from typing import Any

from fuzzing.case import Case, Expectation, Result
from fuzzing.logs import NAME, good_log

EVIL = "__import__('os').system('touch PWNED')"
HOSTILE = (EVIL, "1/0", "9**9**9", "[].append", "exit()", "$(touch PWNED)", "`touch PWNED`")
FOLDERS = ("../out", "/", "..", "../../etc", ".hidden", "a/b", "a\\b", "")
SMALL = ("--embedding_size=8", "--topk=[5]", "--valid_metric=NDCG@5", "--epochs=1")


def make(seed: str, kept: list[int] | None) -> Case:
    """Make a case."""
    rng = Random(seed)
    commands = ("run", "convert", "describe", "simulate", "tune", "benchmark", "doctor", "none")
    command = rng.choices(commands, (8, 2, 3, 3, 4, 4, 1, 1))[0]
    base = good_log(rng)
    files = {f"data/{NAME}/{NAME}.inter": base.inter.data(), "own.yaml": b"topk: [5]\n"}
    arguments, expectation = COMMANDS[command](rng)
    door = "run" if command == "run" else "command"
    statuses = (0, 1) if command in ("doctor",) else (0,)
    arguments = [argument.replace("\0", "?") for argument in arguments]
    return Case(door, arguments, files, expectation, [], statuses=statuses, limit=90.0)


def refused(why: str, *names: str) -> Expectation:
    """Expect a line that names one of some texts."""
    return Expectation([why], [[name for name in names if name]] if any(names) else [])


def either(*names: str) -> Expectation:
    """Allow a result as well as a line."""
    return Expectation(may_fail=True, names=[[n for n in names if n]] if any(names) else [])


def run(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of training."""
    good = [
        "--model=IMNNet",
        f"--dataset={NAME}",
        "--data_path=data",
        "--show_progress=False",
        *SMALL,
    ]
    what = rng.choice(
        (
            "good",
            "no equals",
            "twice",
            "two equals",
            "spaces",
            "unknown",
            "model",
            "dataset",
            "path",
            "files",
            "hostile",
            "hostile",
            "missing",
            "empty",
            "help",
        )
    )
    if what == "good":
        rng.shuffle(good)
        return good, Expectation(check=_trained)
    if what == "help":
        return [*good, rng.choice(("--help", "-h"))], Expectation()
    if what == "missing":
        gone = rng.choice(("--model", "--dataset"))
        return [a for a in good if not a.startswith(gone)], refused(f"no {gone}", gone)
    if what == "model":
        name = rng.choice(
            ("imnnet", "IMNNett", "BPR", "Pop", "os", "../x", "", "object", "Config", EVIL)
        )
        return [f"--model={name}", *good[1:]], refused(f"model {name!r}", name, "--model")
    if what == "dataset":
        name = rng.choice((*FOLDERS, "nothing", "fz/../fz", "FZ ", "fz.inter", EVIL, "ml-100k/"))
        others = [a for a in good if not a.startswith("--dataset")]
        return [*others, f"--dataset={name}"], refused(f"data set {name!r}", name, "dataset")
    argument, names = _odd_argument(rng, what)
    return [*good, argument], refused(argument, *names)


def _odd_argument(rng: Random, what: str) -> tuple[str, tuple[str, ...]]:
    """Give an argument that must be refused, and what the line may name."""
    key = rng.choice(
        (
            "learning_rate",
            "n_negatives",
            "seed",
            "eval_args",
            "metrics",
            "cell",
            "checkpoint_dir",
            "train_batch_size",
            "event_features",
            "load_col",
        )
    )
    if what == "no equals":
        return rng.choice((f"--{key}", f"{key}", "-x", "--", "-", f"-{key}=1", "")), (
            key,
            "--key=value",
        )
    if what == "twice":
        return rng.choice(("--epochs=2", "--topk=[1]", "--model=JODIE")), ("twice",)
    if what == "two equals":
        return f"--{key}=a=b", (key, "two")
    if what == "spaces":
        return rng.choice((f"-- {key}=1", f"--{key} =1", " --epochs=2", f"--{key}\t=1")), (
            key,
            "epochs",
        )
    if what == "unknown":
        return rng.choice(
            ("--epoch=1", "--=1", "--foo=bar", "--learning-rate=1", "--__class__=1")
        ), ("--", "unknown")
    if what == "path":
        return f"--data_path={rng.choice(('nothing', '/nowhere', ' '))}", ("twice", "data_path")
    if what == "files":
        name = rng.choice(
            ("nothing.yaml", ".", "data", "own.yaml nothing.yaml", "[]", "/dev/null/x", "~")
        )
        return f"--config_files={name}", (*name.split(), "config_files")
    if what == "empty":
        key = rng.choice(("learning_rate", "n_negatives", "cell", "epochs", "train_batch_size"))
        return f"--{key}=", (key,)
    text = rng.choice(HOSTILE)
    key = rng.choice(
        ("learning_rate", "n_negatives", "cell", "train_batch_size", "candidates", "metrics")
    )
    return f"--{key}={text}", (key,)


def _trained(result: Result) -> str | None:
    settings = result.seen.get("settings", {})
    return None if settings.get("embedding_size") == 8 else "the options did not arrive"


def convert(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``convert`` that no table can save."""
    source = rng.choice(("czb", "ijcai16", "retailrocket", "jodie", "csv"))
    file = rng.choice((f"data/{NAME}/{NAME}.inter", "data", "nothing", "own.yaml"))
    arguments = ["convert", source, f"--input={file}", "--name=new", "--output=out"]
    if rng.random() < 0.3:
        arguments.append(
            rng.choice(("--mapping=own.yaml", "--user=1", "--foo", "extra", "--max-bad=x"))
        )
    # The log of tabs may be a table in the eyes of some.
    return arguments, either()


def describe(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``describe``."""
    good = ["describe", NAME, "--data_path=data"]
    what = rng.choice(("good", "good", "name", "path", "more", "none"))
    if what == "good":
        return good, Expectation(check=_described)
    if what == "name":
        name = rng.choice((*FOLDERS, "nothing", EVIL, "fz/../fz", "../data/fz"))
        return ["describe", name, "--data_path=data"], refused(f"name {name!r}", name, "name")
    if what == "path":
        return ["describe", NAME, "--data_path=nothing"], refused(
            "no folder", "nothing", "data_path"
        )
    if what == "none":
        return ["describe"], refused("no name", "name")
    return [*good, rng.choice(("--foo=1", "more", "-x"))], refused("more", "--foo", "more", "-x")


def _described(result: Result) -> str | None:
    folder = result.folder / "data" / NAME
    rows = (folder / f"{NAME}.inter").read_bytes().count(b"\n") - 1
    return None if f"{rows:,}" in result.out else f"{rows} actions are not in the report"


def simulate(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``simulate``."""
    good = ["simulate", "czb-mini", "--scale=0.1", "--output=out", "--save-as=m"]
    options = {
        "--scale": ("0", "-1", "nan", "inf", "x", "11", "1e-9", "1/0", EVIL, ""),
        "--seed": ("-1", "x", "1.5", "99999999999999999999999", ""),
        "--resource-strength": ("4.5", "-0.1", "nan", "inf", "x", "True"),
        "--save-as": FOLDERS[:-1],
        "--foo": ("1",),
    }
    key = rng.choice(sorted(options))
    value = rng.choice(options[key])
    if rng.random() < 0.15:
        name = rng.choice(("czb-maxi", "", "../czb"))
        return ["simulate", name], refused(f"market {name!r}", name, "name", "market")
    if key == "--seed" and value.isdigit():
        return [*good, f"{key}={value}"], either("seed")
    return [*good, f"{key}={value}"], refused(
        f"{key}={value}", key.strip("-"), key[2:].replace("-", "_"), value
    )


def tune(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``tune``."""
    return _long(rng, "tune", {"--trials": "1", "--model": "IMNNet"})


def benchmark(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``benchmark``."""
    return _long(rng, "benchmark", {"--seeds": "1", "--models": "LastItem"})


def _long(rng: Random, command: str, own: dict[str, str]) -> tuple[list[str], Expectation]:
    """Spoil an option of a command that trains; nothing is trained."""
    options = {
        "--dataset": NAME,
        "--data_path": "data",
        "--epochs": "1",
        "--config_files": "own.yaml",
        **own,
    }
    bad: dict[str, tuple[Any, ...]] = {
        "--dataset": (*FOLDERS, "nothing", EVIL),
        "--data_path": ("nothing", "/nowhere"),
        "--epochs": ("0", "-1", "x", "1.5", "1/0", ""),
        "--config_files": ("nothing.yaml", ".", "own.yaml nothing.yaml", "bad.yaml"),
        "--trials": ("0", "-1", "x", ""),
        "--seeds": ("0", "-1", "x", "1e3"),
        "--model": ("imnnet", "BPR", "LastItem", "", EVIL, "../x"),
        "--models": ("nothing", ",", "BPR", EVIL, "LastItem,x", "../x"),
        "--seed": ("x", "1.5"),
        "--candidates": ("shelf", "on_shelf"),
        "--foo": ("1",),
    }
    keys = [
        key
        for key in bad
        if key in options or key == "--foo" or (key == "--seed" and command == "tune")
    ]
    keys += ["--candidates"] if command == "benchmark" else []
    key = rng.choice(sorted(keys))
    value = rng.choice(bad[key])
    options[key] = value
    arguments = [command, *(f"{name}={text}" for name, text in options.items())]
    return arguments, refused(f"{key}={value}", key, value, key.strip("-"), "listed_at")


def doctor(rng: Random) -> tuple[list[str], Expectation]:
    """Arguments of ``doctor``."""
    more = rng.choice(([], [], ["--foo"], ["x"]))
    return ["doctor", *more], refused("more", *more) if more else Expectation()


def none(rng: Random) -> tuple[list[str], Expectation]:
    """No command, or one that there is not."""
    arguments = rng.choice(([], ["trian"], ["--foo"], [EVIL], [""]))
    return list(arguments), refused("no command", "COMMAND", *arguments)


COMMANDS = {
    function.__name__: function
    for function in (run, convert, describe, simulate, tune, benchmark, doctor, none)
}
