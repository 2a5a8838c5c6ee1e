"""What can be wrong, or only odd, with atomic files; all of their mutations."""

from __future__ import annotations

from random import Random
from typing import Any

from fuzzing.item_mutations import (
    bad_image,
    bad_item_number,
    empty_item_cells,
    empty_item_id,
    further_items,
    item_twice,
    missing_items,
    new_extremes,
    odd_categories,
    ragged_sequences,
    stays,
)
from fuzzing.odd_values import BAD_FLAGS, BAD_NUMBERS, BAD_TIMES, FAR_TIMES, FINE_TIMES, ODD_IDS
from fuzzing.sheet_edits import any_row, edited, rows_having, set_cells


def odd_ids(base: Any, rng: Random) -> str:
    """Names that look like something else."""
    kind = rng.choice(("user_id", "item_id"))
    column = base.inter.place(kind)
    if column is None:
        return "no such column"
    renamed = {}
    names = sorted({row[column] for row in rows_having(base.inter, kind)})
    for old in rng.sample(names, min(2, len(names))):
        renamed[old] = rng.choice([name for name in ODD_IDS if name not in renamed.values()])
    sheets = [base.inter, base.item if kind == "item_id" else base.user]
    for sheet in sheets:
        for row in rows_having(sheet, kind):
            place = sheet.place(kind)
            row[place] = renamed.get(row[place], row[place])
    return str(renamed)


def odd_behaviours(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "behavior", rng, [*ODD_IDS, ""], 5)


def empty_id(base: Any, rng: Random) -> str:
    return set_cells(base.inter, rng.choice(("user_id", "item_id")), rng, ("",))


def bad_time(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "timestamp", rng, BAD_TIMES)


def far_time(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "timestamp", rng, FAR_TIMES)


def fine_time(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "timestamp", rng, FINE_TIMES, 5)


def shifted_times(base: Any, rng: Random) -> str:
    """Move, stretch or reorder all times."""
    how = rng.choice(("milliseconds", "negative", "equal", "shuffled", "tiny", "large", "reversed"))
    column = base.inter.place("timestamp")
    if column is None:
        return "no such column"
    for place, row in enumerate(rows_having(base.inter, "timestamp")):
        time = 1_700_000_000.0 + 60 * place
        new = {
            "milliseconds": f"{time * 1000:.0f}",
            "negative": repr(time - 3e9),
            "equal": "1700000000",
            "shuffled": repr(time),
            "tiny": repr(1000 + place * 1e-9),
            "large": repr(time * 30),
            "reversed": repr(-time),
        }[how]
        row[column] = new
    if how == "shuffled":
        rng.shuffle(base.inter.rows)
    return how


def bad_flag(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "purchase", rng, BAD_FLAGS)


def fine_flag(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "purchase", rng, ("1.0", "0.0", "1e0", "00", "+1"), 3)


def bad_event_number(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "price", rng, BAD_NUMBERS)


def empty_event_numbers(base: Any, rng: Random) -> str:
    return set_cells(base.inter, "price", rng, ("",), 30)


def constant_number(base: Any, rng: Random) -> str:
    for row in rows_having(base.inter, "price"):
        row[base.inter.place("price")] = rng.choice(("7", "7.0"))
    return "price is 7"


def all_empty_numbers(base: Any, rng: Random) -> str:
    sheet, name = rng.choice(((base.inter, "price"), (base.item, "weight")))
    for row in rows_having(sheet, name):
        row[sheet.place(name)] = ""
    return f"{name} is empty"


def short_or_long_row(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    if not sheet.rows:
        return "no rows"
    place, row = any_row(rng, sheet)
    if rng.random() < 0.5 and len(row) > 1:
        row.pop()
    else:
        row.append(rng.choice(("", "x")))
    return f"line {place + 2} has {len(row)} cells"


def no_rows(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    del sheet.rows[rng.choice((0, 1, 2, 5)) :]
    return f"{len(sheet.rows)} rows left"


def few_users(base: Any, rng: Random) -> str:
    column = base.inter.place("user_id")
    how = rng.choice(("one", "all different", "late"))
    rows = rows_having(base.inter, "user_id")
    for place, row in enumerate(rows):
        late = f"n{place}" if place > 0.7 * len(rows) else row[column]
        row[column] = {"one": "u", "all different": f"u{place}", "late": late}[how]
    return how


def few_items(base: Any, rng: Random) -> str:
    for row in rows_having(base.inter, "item_id"):
        row[base.inter.place("item_id")] = rng.choice(("i0", "i1"))
    return "two items in the log"


def header_type(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    place = rng.randrange(len(sheet.header))
    name = sheet.header[place].partition(":")[0]
    kinds = ("", ":", ":int", ":string", ":token ", ":TOKEN", ":float", ":token", ":float_seq")
    sheet.header[place] = name + rng.choice(kinds)
    # A number as a category and the like may be read either way.
    base.is_dubious = True
    return sheet.header[place]


def header_name(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    place = rng.randrange(len(sheet.header))
    _, _, kind = sheet.header[place].partition(":")
    old = sheet.header[place]
    other = sheet.header[rng.randrange(len(sheet.header))].partition(":")[0]
    sheet.header[place] = f"{rng.choice((other, '', old.upper(), ' ' + old, 'x'))}:{kind}"
    base.is_dubious = True
    return f"{old} is {sheet.header[place]!r}"


def shuffled_columns(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    order = list(range(len(sheet.header)))
    rng.shuffle(order)
    sheet.header = [sheet.header[place] for place in order]
    if all(len(row) == len(order) for row in sheet.rows):
        sheet.rows = [[row[place] for place in order] for row in sheet.rows]
    return str(sheet.header)


def line_ends(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    how = rng.choice(("crlf", "bom", "no end", "blank", "spaces", "tabs", "old mac"))
    if how == "crlf":
        sheet.newline = "\r\n"
    elif how == "old mac":
        sheet.newline = "\r"
        base.is_dubious = True
    elif how == "bom":
        sheet.edits.append(lambda data: b"\xef\xbb\xbf" + data)
    elif how == "no end":
        sheet.edits.append(lambda data: data.rstrip(b"\r\n"))
    else:
        blank = {"blank": [], "spaces": ["   "], "tabs": [""] * len(sheet.header)}[how]
        for _ in range(3):
            sheet.rows.insert(rng.randrange(len(sheet.rows) + 1), blank)
        # A line of spaces may be a row with an odd id.
        base.is_dubious = base.is_dubious or how == "spaces"
    return how


def bytes_in_row(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    what = rng.choice(
        (b"\x00", b"\xff", b"\r", b"\xc3", b"\x1a", b"\x0b", b"\x85", b"\xe2\x80\xa8")
    )
    line = rng.randrange(len(sheet.rows) + 1)

    def edit(data: bytes) -> bytes:
        lines = data.split(b"\n")
        place = min(line, len(lines) - 1)
        lines[place] = lines[place][:1] + what + lines[place][1:]
        return b"\n".join(lines)

    # Characters that no id has may be refused as well as kept.
    base.is_dubious = True
    return edited(sheet, edit, f"{what!r} in line {line + 1}")


def other_separator(base: Any, rng: Random) -> str:
    separator = rng.choice((b",", b";", b"  ", b"|"))
    return edited(base.inter, lambda data: data.replace(b"\t", separator), repr(separator))


def truncated(base: Any, rng: Random) -> str:
    share = rng.random()
    base.is_dubious = True
    return edited(base.inter, lambda data: data[: int(len(data) * share)], f"{share:.2f} of it")


def other_file(base: Any, rng: Random) -> str:
    sheet = rng.choice([sheet for sheet in (base.inter, base.item) if sheet])
    contents = (b"", b"\n", b"PK\x03\x04zip", b"<html></html>", b"\x1f\x8b\x08", b"PAR1" * 9)
    content = rng.choice(contents)
    return edited(sheet, lambda data: content, repr(content))


def feature_not_loaded(base: Any, rng: Random) -> str:
    key = rng.choice(("event_features", "item_features", "inventory_features"))
    base.settings[key] = ["color"]
    base.refusals.append((f"{key} names no column", ("color",)))
    return key


def column_not_loaded(base: Any, rng: Random) -> str:
    name = rng.choice(("user_id", "item_id", "timestamp"))
    base.settings["load_col"]["inter"].remove(name)
    # What a stream cannot do without may be loaded all the same.
    base.is_dubious = True
    return name


MUTATIONS = {
    function.__name__.replace("_", " "): function
    for function in (
        *(odd_ids, odd_behaviours, empty_id, bad_time, far_time, fine_time, shifted_times),
        *(bad_flag, fine_flag, bad_event_number, empty_event_numbers, constant_number),
        *(all_empty_numbers, bad_item_number, bad_image, empty_item_cells, new_extremes),
        *(ragged_sequences, odd_categories, stays, missing_items, further_items, item_twice),
        *(empty_item_id, short_or_long_row, no_rows, few_users, few_items, header_type),
        *(header_name, shuffled_columns, line_ends, bytes_in_row, other_separator, truncated),
        *(other_file, feature_not_loaded, column_not_loaded),
    )
}
