"""What can be wrong, or only odd, with the tables that ``convert`` reads; all of its mutations."""

from __future__ import annotations

from random import Random
from typing import Any

from fuzzing.odd_values import ODD_IDS
from fuzzing.option_mutations import (
    bad_mapping,
    bad_option,
    bad_yaml,
    no_column,
    purchase_options,
    unknown_column,
)

BAD_TIMES = ("", "x", "nan", "inf", "2024-13-45 99:00:00", "1e300", "-", "0000-00-00 00:00:00")


def _place(base: Any, role: str, rng: Random) -> tuple[int, list[str], int] | None:
    if role not in base.log.roles or not base.log.rows:
        return None
    place = rng.randrange(len(base.log.rows))
    return place, base.log.rows[place], base.log.roles.index(role)


def _set(base: Any, role: str, rng: Random, values: Any) -> str:
    found = _place(base, role, rng)
    if found is None or found[2] >= len(found[1]):
        return "no such column"
    place, row, column = found
    row[column] = rng.choice(values)
    return f"line {base.log.line(place)} {role}={row[column][:40]!r}"


def odd_id(base: Any, rng: Random) -> str:
    return _set(base, rng.choice(("user_id", "item_id")), rng, ODD_IDS)


def empty_id(base: Any, rng: Random) -> str:
    return _set(base, rng.choice(("user_id", "item_id")), rng, ("", "  "))


def separator_in_id(base: Any, rng: Random) -> str:
    base.log.quoting = rng.choice(("where needed", "all"))
    return _set(base, "item_id", rng, (f"a{base.log.separator}b", 'say "x"', '"'))


def control_character(base: Any, rng: Random) -> str:
    done = _set(base, rng.choice(("user_id", "item_id")), rng, ("a\tb", "a\0b", "a\rb"))
    if "x00" in done:
        base.is_dubious = True  # of a text or a binary file
    return done


def undecodable(base: Any, rng: Random) -> str:
    """Bytes that no text has, in an id."""
    mark = "\ue000"
    base.log.edits.append(lambda data: data.replace(mark.encode(), b"\xff\xfe"))
    return _set(base, "user_id", rng, (mark,))


def bad_time(base: Any, rng: Random) -> str:
    if base.clock in ("seconds", "seconds with a fraction", "milliseconds", "microseconds"):
        return _set(base, "timestamp", rng, (*BAD_TIMES, "1_000", "0x10", "12:30"))
    return _set(base, "timestamp", rng, (*BAD_TIMES, "1700000000", "12:30"))


def all_times_bad(base: Any, rng: Random) -> str:
    text = rng.choice(("soon", "", "99", "nan"))
    column = base.log.roles.index("timestamp")
    for row in base.log.rows:
        row[column : column + 1] = [text] * (column < len(row))
    if text == "99":
        base.clock = "seconds"
        if "time_format" in str(base.mapping) or "time-format" in base.options:
            base.refusals.append(("the time format does not fit", ("time format", "line ")))
    else:
        base.refusals.append(("no time is one", ("time", "line ")))
    return repr(text)


def other_unit(base: Any, rng: Random) -> str:
    """A row in seconds inside a log in milliseconds."""
    found = _place(base, "timestamp", rng)
    if base.clock != "milliseconds" or found is None or not found[2] < len(found[1]):
        return "no milliseconds"
    place, row, column = found
    if place == 0 or not row[column].isdigit():
        return "the first row tells the unit"
    row[column] = row[column][:10]
    base.must_say.append("1970")
    # It may be refused as well.
    base.dubious_lines.add(base.log.line(place))
    return f"line {base.log.line(place)}"


def bad_number(base: Any, rng: Random) -> str:
    return _set(base, "price", rng, ("abc", "nan", "inf", "1,5", "1e999", "12 EUR", "--1"))


def empty_number(base: Any, rng: Random) -> str:
    return _set(base, "price", rng, ("", "  "))


def flag(base: Any, rng: Random) -> str:
    return _set(base, "purchase", rng, ("2", "", "true", "FALSE", "yes", "1.0", "-1", "0.5"))


def empty_action(base: Any, rng: Random) -> str:
    return _set(base, "behavior", rng, ("", " "))


def short_or_long_row(base: Any, rng: Random) -> str:
    place = rng.randrange(len(base.log.rows))
    row = base.log.rows[place]
    if rng.random() < 0.5:
        row.pop()
    else:
        row.append("x")
    return f"line {base.log.line(place)} has {len(row)} cells"


def open_quote(base: Any, rng: Random) -> str:
    place = rng.randrange(1, len(base.log.rows))
    cells = list(base.log.rows[place])
    cells[0] = '"' + cells[0]
    base.log.raw[place] = base.log.separator.join(cells)
    # Where a quoted cell may end on another line is open.
    base.is_dubious = True
    return f"line {base.log.line(place)}"


def newline_in_quotes(base: Any, rng: Random) -> str:
    if "note" not in base.log.roles:
        return "no such column"
    place = rng.randrange(len(base.log.rows))
    column = base.log.roles.index("note")
    if column < len(base.log.rows[place]):
        base.log.quoting = "all"
        base.log.rows[place][column] = "two\nlines"
        base.log.is_multiline = True
    return f"line {base.log.line(place)}"


def blank_lines(base: Any, rng: Random) -> str:
    text = rng.choice(("", "   "))

    def edit(data: bytes) -> bytes:
        return data + (text + "\n").encode() * 3

    base.log.edits.append(edit)
    return repr(text)


def byte_order_mark(base: Any, rng: Random) -> str:
    base.log.edits.append(lambda data: b"\xef\xbb\xbf" + data)
    return "at the start"


def no_last_newline(base: Any, rng: Random) -> str:
    base.log.edits.append(lambda data: data.rstrip(b"\r\n"))
    return "at the end"


def other_encoding(base: Any, rng: Random) -> str:
    encoding = rng.choice(("gbk", "latin-1", "utf-16", "nonsense"))
    if encoding == "nonsense":
        base.refusals.append(("no such encoding", ("encoding",)))
    elif encoding == "utf-16":
        base.log.encoding = "utf-16"
        base.is_dubious = True
    else:
        base.log.encoding = encoding
        _set(base, "item_id", rng, ("Käse",) if encoding == "latin-1" else ("中文",))
    if base.mapping is None:
        base.options["encoding"] = encoding
    else:
        base.mapping["encoding"] = encoding
    if base.items is not None:
        base.items.encoding = base.log.encoding
    return encoding


def number_header(base: Any, rng: Random) -> str:
    """A header as pandas writes it for columns without names."""
    if not base.log.has_header or base.mapping is not None:
        return "no header"
    base.log.names = [str(place) for place in range(len(base.log.roles))]
    names = {"user": "user_id", "item": "item_id", "time": "timestamp"}
    names |= {"behavior": "behavior", "purchase-column": "purchase"}
    for option, role in names.items():
        if option in base.options and role in base.log.roles:
            base.options[option] = str(base.log.roles.index(role) + 1)
    base.is_dubious = True
    if base.clock.startswith("seconds"):
        # The header has a number where the time is: January 1970, to be told.
        base.must_say.append("header")
    return str(base.log.names)


def header_twice(base: Any, rng: Random) -> str:
    if not base.log.has_header or len(base.log.names) < 4:
        return "no header"
    base.log.names[-1] = base.log.names[0]
    base.is_dubious = True
    return str(base.log.names)


def long_separator(base: Any, rng: Random) -> str:
    base.log.separator = rng.choice(("::", "||", ", "))
    if base.log.separator != "::":
        base.is_dubious = True  # to be told by the caller
    return repr(base.log.separator)


def other_file(base: Any, rng: Random) -> str:
    contents = (
        *(b"", b"\n\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"<html><body>", b"PAR1xxxx", b"\x00" * 9),
        *(b"\xff\xfea\x00", b"who,what,when\n", b"Rar!", b"BZh9"),
    )
    content = rng.choice(contents)
    target = rng.choice(("log.csv", "items.csv")) if base.items is not None else "log.csv"
    base.files[target] = content
    base.refusals.append((f"{target} is {content!r}", (target, "separator")))
    return f"{target} is {content!r}"


def item_twice(base: Any, rng: Random) -> str:
    if base.items is None:
        return "no items"
    row = rng.choice(base.items.rows)
    base.items.rows.append([row[0], "other", "1.5"])
    return f"{row[0]} again in the last line"


def bad_item(base: Any, rng: Random) -> str:
    if base.items is None:
        return "no items"
    row = rng.choice(base.items.rows)
    column = rng.choice((0, 2))
    row[column] = rng.choice(("", "  ")) if column == 0 else rng.choice(("heavy", "nan", "inf"))
    if column == 2 and (base.mapping is None or "items" not in base.mapping):
        base.is_dubious = True  # types are inferred, or all are tokens
    return str(row)


def wide_items(base: Any, rng: Random) -> str:
    if base.items is None:
        return "no items"
    place = rng.randrange(len(base.items.rows))
    base.items.rows[place] = [*base.items.rows[place], "x"]
    return f"line {place + 2} of the items"


MUTATIONS = {
    function.__name__.replace("_", " "): function
    for function in (
        *(odd_id, empty_id, separator_in_id, control_character, undecodable, bad_time),
        *(all_times_bad, other_unit, bad_number, empty_number, flag, empty_action),
        *(short_or_long_row, open_quote, newline_in_quotes, blank_lines, byte_order_mark),
        *(no_last_newline, other_encoding, number_header, header_twice, long_separator),
        *(unknown_column, no_column, bad_option, bad_mapping, bad_yaml, other_file),
        *(purchase_options, item_twice, bad_item, wide_items),
    )
}
