"""A quote that nobody closed spoils its own row, and no row behind it."""

import pytest

HEAD = "user,item,time,note\n"
NAMES = ("--max-bad=0.5",)


def _rows(first, last, note="fine"):
    return "".join(f"u{n},i{n % 7},{1_700_000_000 + n},{note}\n" for n in range(first, last))


def _spoilt(opened, closed):
    return HEAD + _rows(0, 20) + opened + _rows(20, 400) + closed + _rows(400, 420)


@pytest.mark.parametrize("opened", ['x,i1,1700000000,"oops\n', 'x,"i1,1700000000,oops\n'])
@pytest.mark.parametrize("closed", ['y,i2,1700000500,a 19"\n', 'y,19",1700000500,b\n'])
@pytest.mark.parametrize("broken", ["", "torn\n", 'z,i3,1700000300,"a, ""b"\n'])
def test_an_open_quote_swallows_no_rows(shop, opened, closed, broken):
    text = _spoilt(opened, broken + closed)
    printed = shop.convert("csv", shop.write("log.csv", text), *NAMES)
    kinds = [(line, kind) for line, kind, _ in shop.rejected()]
    assert kinds[0] == (22, "quoting")
    assert len(shop.rows()) == 421 + broken.startswith("z")
    assert len(kinds) == 1 + (broken == "torn\n")
    assert "several lines" not in printed


def test_two_rows_are_not_one_record(shop):
    text = HEAD + _rows(0, 9) + 'x,i1,1700000000,"oops\ny,i2,1700000500,a 19"\n'
    shop.convert("csv", shop.write("log.csv", text), *NAMES)
    assert [(line, kind) for line, kind, _ in shop.rejected()] == [(11, "quoting")]


@pytest.mark.parametrize(
    "note",
    ["one\ntwo", "one\nold, heavy, loud, 3 kg\nthree", "a, b\nc, d, e, f\ng", "\n,,,a", "\n\n\n"],
)
@pytest.mark.parametrize("place", [0, 3])
def test_a_text_of_several_lines_is_one_cell(shop, note, place):
    cells = ["v", "i1", "1700000000"]
    cells.insert(place, f'"{note}"')
    head = ["user", "item", "time"]
    head.insert(place, "note")
    row = ["u0", "i2", "1700000001"]
    row.insert(place, "fine")
    text = "\n".join([",".join(head), *[",".join(row)] * 9, ",".join(cells), ""])
    printed = shop.convert("csv", shop.write("log.csv", text), *NAMES)
    assert len(shop.rows()) == 10
    n_lines = note.count("\n") + 1
    assert f"            1 of them run over several lines, the longest over {n_lines}\n" in printed
