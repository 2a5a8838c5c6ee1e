"""What can be wrong with options and mappings of ``convert``."""

from __future__ import annotations

from random import Random
from typing import Any

from fuzzing.odd_values import EVIL


def unknown_column(base: Any, rng: Random) -> str:
    wrong = rng.choice(("whoo", "99", "", EVIL, "0", "-1"))
    if base.mapping is None or not isinstance(base.mapping["columns"], dict):
        base.options["user"] = wrong
    else:
        base.mapping["columns"] = {**base.mapping["columns"], "user_id": wrong}
    base.refusals.append((f"there is no column {wrong!r}", (wrong or "column", "column")))
    return repr(wrong)


def no_column(base: Any, rng: Random) -> str:
    if base.mapping is None:
        del base.options["time"]
    else:
        base.mapping["columns"] = {"user_id": 1, "item_id": 2}
    base.refusals.append(("no column is named for the time", ("timestamp",)))
    return "timestamp"


def bad_option(base: Any, rng: Random) -> str:
    """An option with a value that it cannot have."""
    values = {
        "max-bad": ("2", "-1", "nan", "x", "1/0", "inf", ""),
        "name": ("../x", "", ".x", "a/b", "/x/y", "..", "."),
        "time-zone": ("Mars/Base", "../UTC", "x y", EVIL, "/etc/passwd", ""),
        "time-format": ("%Q", "nonsense", EVIL, "%Y", "%H:%M"),
        "input": ("nothing.csv", ".", "mapping.yaml/x", "\x00", ""),
        "mapping": ("nothing.yaml", ".", "log.csv"),
        "items": ("nothing.csv", "."),
        "images": ("nothing", "log.csv"),
        "image-width": ("0", "-1", "x", "1.5"),
        "duplicates": ("all", ""),
        "separator": ("xyz", ""),
        "purchase-column": ("nothing",),
        "label-is-purchase": ("x",),
        "usr": ("who",),
    }
    key = rng.choice(sorted(values))
    base.options[key] = rng.choice(values[key])
    if key in ("image-width", "mapping"):
        # Without images a width is not looked at; a table may be a mapping in yaml's eyes.
        base.is_dubious = key == "image-width" and base.options[key] in ("0", "-1")
        if not base.is_dubious:
            base.refusals.append((f"--{key} is {base.options[key]!r}", (key, base.options[key])))
    else:
        base.refusals.append((f"--{key} is {base.options[key]!r}", _names(key, base)))
    return f"--{key}={base.options[key]!r}"


def _names(key: str, base: Any) -> tuple[str, ...]:
    """Give what a line about an option may name: the option, or its value."""
    value = base.options[key]
    names = (
        f"--{key}",
        key,
        "X.npy" if key == "images" else "",
        key.replace("-", " "),
        value,
        key.replace("-column", "s"),
    )
    return tuple(text for text in names if text)


def bad_mapping(base: Any, rng: Random) -> str:
    """A mapping file with a wrong key, type or value."""
    if base.mapping is None:
        return "no mapping"
    wrong: dict[str, Any] = {
        "colums": {"user_id": 1},
        "columns": rng.choice((["who"], "who", 7)),
        "behaviors": rng.choice((["view"], 7)),
        "purchases": rng.choice((7, {"a": 1})),
        "event_columns": rng.choice(({"price": {"colum": 1}}, {"a b": 1}, {"x": {"type": "int"}})),
        "item_columns": rng.choice(({"item_id": 1}, {"y": {"column": True}}, ["brand"])),
        "time_zone": rng.choice(("Nowhere", 7, ["UTC"])),
        "time_format": rng.choice(("%Q", ["auto"], 7)),
        "separator": rng.choice(("abc", 7, [","])),
        "header": rng.choice(("maybe", 7, ["true"])),
        "encoding": rng.choice(("nonsense", 8)),
    }
    key = rng.choice(sorted(wrong))
    base.mapping[key] = wrong[key]
    base.refusals.append((f"{key} is {wrong[key]!r}", (key, *key.split("_"), str(wrong[key]))))
    return f"{key}: {wrong[key]!r}"


def bad_yaml(base: Any, rng: Random) -> str:
    """A mapping file that is no yaml, or no mapping."""
    contents = (
        *(b"", b"\t", b"a: [", b"- 1\n", b"7", b"columns:\n\tuser_id: 1\n", b"\xff\xfe", b"\x00"),
        *(b"!!python/object/apply:os.system ['touch PWNED']", b"a: *b", b"{a: b: c}", b"null"),
    )
    content = rng.choice(contents)
    base.files["mapping.yaml"] = content
    base.options["mapping"] = "mapping.yaml"
    base.refusals.append((f"the mapping is {content!r}", ("mapping.yaml", "--mapping", "column")))
    if base.mapping is None and content in (b"", b"null"):
        base.is_dubious = True
        base.refusals.pop()
    return repr(content)


def purchase_options(base: Any, rng: Random) -> str:
    if base.mapping is not None or "behavior" not in base.options:
        return "no actions"
    if rng.random() < 0.5:
        base.options["purchase"] = "ghost"
        base.purchases = ["ghost"]
        base.must_say.append("ghost")
        return "a purchase that nobody makes"
    base.options |= {"purchase": "buy", "purchase-column": base.options["user"]}
    base.refusals.append(("purchases are told twice", ("purchase",)))
    return "two ways to tell a purchase"
