"""The command ``update``, and the card that it writes."""

import argparse
import json
from types import SimpleNamespace

import pytest

from recbole_imn.errors import DataError, UsageError
from recbole_imn.serving.updating.command import _lines, add_command, run


def command(*line):
    """Give the exit status of the command."""
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    return run(parser.parse_args(["update", *map(str, line)]))


def test_the_command_writes_a_checkpoint_and_its_card(shop, new_events, tmp_path, capsys):
    output = tmp_path / "updated.pth"
    assert command(shop.file, f"--events={new_events}", f"--output={output}") == 0
    told = json.loads((tmp_path / "updated.update.json").read_text())
    assert told["observed"]["accepted"] == shop.stop - shop.start
    assert len(told["sums"]["checkpoint"]) == len(told["sums"][str(new_events)]) == 64
    card = (tmp_path / "updated.update.md").read_text()
    assert "simulated" in card.lower()
    assert told["sums"]["output"] in card
    assert f"{shop.stop - shop.start:,} new events" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("accepted", "dropped", "users", "expected"),
    [
        (1, {}, 1, "1 new event (0 known already), 1 new user, 0 new items"),
        (
            1500,
            {"duplicate": 20},
            1002,
            "1,500 new events (0 known already, 20 left out: duplicate), 1,002 new users, "
            "0 new items",
        ),
    ],
)
def test_one_and_many_are_told_as_people_say_it(accepted, dropped, users, expected):
    observed = SimpleNamespace(accepted=accepted, dropped=dropped)
    done = SimpleNamespace(
        users=(5, 5 + users), items=(3, 3), observed=observed, known_rows=0, learned=None
    )
    assert _lines(done) == [expected]


def test_the_command_writes_over_nothing_that_it_reads(shop, new_events):
    before = new_events.read_bytes()
    with pytest.raises(DataError, match=r"--output is .*, which is a file of events, to be read"):
        command(shop.file, f"--events={new_events}", f"--output={new_events}")
    with pytest.raises(DataError, match=r"--card is card\.json"):
        command(shop.file, f"--events={new_events}", "--card=card.json")
    assert new_events.read_bytes() == before


@pytest.mark.parametrize("place", ["checkpoint", "output", "events", "json", "link", "spelt"])
def test_a_card_is_written_over_nothing_else(shop, new_events, tmp_path, place):
    """What would be lost is a model, which nobody can train again."""
    (tmp_path / "link").symlink_to(shop.file)
    new_events = new_events.rename(tmp_path / "events.json")
    places = {
        "checkpoint": shop.file,
        "output": tmp_path / "new.pth",
        "events": new_events,
        "json": tmp_path / "events.md",
        "link": tmp_path / "link",
        "spelt": shop.file.parent / ".." / shop.file.parent.name / shop.file.name,
    }
    before = shop.file.read_bytes(), new_events.read_bytes()
    line = f"--output={tmp_path / 'new.pth'}", f"--card={places[place]}"
    with pytest.raises(DataError, match=r"card.* is .*(choose another name|json beside it)"):
        command(shop.file, f"--events={new_events}", *line)
    assert (shop.file.read_bytes(), new_events.read_bytes()) == before


@pytest.mark.parametrize(
    "option", ["--epochs=3", "--since=trained", "--keep=new", "--validation=0.2"]
)
def test_what_is_said_of_a_training_that_is_not_asked_for_is_refused(shop, new_events, option):
    name = option.partition("=")[0]
    with pytest.raises(UsageError, match=f"{name} is about training; give --train as well"):
        command(shop.file, f"--events={new_events}", option)


def test_the_card_of_a_training_compares_weights(shop, new_events, tmp_path, capsys):
    output, card = tmp_path / "updated.pth", tmp_path / "cards" / "card.md"
    line = f"--events={new_events}", f"--output={output}", f"--card={card}", "--train"
    assert command(shop.file, *line) == 0
    told = json.loads(card.with_suffix(".json").read_text())["learned"]
    text = card.read_text()
    for name, key in (("old weights", "old"), ("new weights", "new")):
        assert f"| {name} | {told['judgement'][key]['recall@10']:.4f} |" in text
    assert f"the {told['kept']} weights were kept" in capsys.readouterr().out
