"""Rows for programs and tables for people."""

import json

import pandas as pd

from recbole_imn.serving.commands.printing import listed, plain_rows, rows, show, table

FRAME = pd.DataFrame(
    {
        "rank": [1, 2],
        "item": ["a,b", 'c"d'],
        "score": [-0.1, 2.0],
        "price": [None, 12000.0],
        "weight": [0.1 + 0.2, 158.01],
        "title": [None, "ü"],
    }
)


def test_json_has_no_nan():
    lines = rows(FRAME, "jsonl").splitlines()
    first = {
        "rank": 1,
        "item": "a,b",
        "score": -0.1,
        "price": None,
        "weight": 0.1 + 0.2,
        "title": None,
    }
    assert json.loads(lines[0], parse_constant=lambda name: 1 / 0) == first
    assert len(lines) == 2


def test_csv_keeps_every_bit_and_quotes():
    text = rows(FRAME, "csv")
    assert text.splitlines()[1:] == [
        '1,"a,b",-0.1,,0.30000000000000004,',
        '2,"c""d",2.0,12000.0,158.01,ü',
    ]


def test_a_table_shows_numbers_as_people_write_them_and_scores_below_each_other(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    cells = [line.split() for line in table(FRAME).splitlines()]
    assert cells[2] == ["1", "a,b", "-0.1000", "0.3"]
    assert cells[3] == ["2", 'c"d', "2.0000", "12000", "158.01", "ü"]


def test_a_notice_does_not_come_between_rows(capsys):
    show(FRAME, "csv", "heading", "SIMULATED")
    printed = capsys.readouterr()
    assert printed.out == rows(FRAME, "csv")
    assert printed.err == "SIMULATED\n"
    show(FRAME, "table", "heading", "SIMULATED")
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[-1]) == ("heading", "SIMULATED")


def test_an_empty_table_says_so():
    assert table(FRAME[:0]) == "(no rows)"
    assert plain_rows(FRAME[:0]) == []


def test_many_names_are_counted():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(1005)]) == "0, 1, 2 and 1,002 more"
