"""The walk-through of the documentation goes from a log to recommendations, with a small log."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recbole_imn.serving import Recommender
from recbole_imn.serving.journal import SqliteJournal
from tests.docs.warm import warm_python

ROOT = Path(__file__).parents[2]


def load(path: Path):
    """Import a file that is part of no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


walk_through = load(ROOT / "docs" / "walk_through.py")
make_shop = load(ROOT / "examples" / "shop" / "make_shop.py")
needs_a_shell = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="bash or curl is not there"
)


def table(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def moment(text):
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_zone="UTC")


def on_shelf(items: pl.DataFrame, last: str) -> pl.DataFrame:
    """Give what nobody has delisted of what was listed by the last event."""
    has_come = moment(items["listed_at"]) <= moment(pl.Series([last]))[0]
    return items.filter(has_come & items["delisted_at"].is_null())


@needs_a_shell
def test_every_command_of_the_page_runs_and_what_it_says_is_true(tmp_path):
    page = walk_through.PAGE.read_text(encoding="utf-8")
    blocks = walk_through.commands_of(page)
    with warm_python(tmp_path / "warm") as python:
        steps = list(walk_through.walk(blocks, tmp_path / "walk", walk_through.SMALL, python))
    assert len(steps) == len(blocks) == page.count("```sh")
    printed = "\n".join(step.printed for step in steps)
    shop = tmp_path / "walk" / "shop"
    log, items = table(shop / "shop.csv"), table(shop / "items.csv")
    everything_for_sale_is_listed(shop, log, items, printed)
    lists_of_all_are_those_of_one(shop, log, printed)
    the_next_day_is_known(shop, log, items, printed)
    the_service_has_answered(shop, log, printed)


def everything_for_sale_is_listed(shop, log, items, printed):
    """Items without an event as well, under the ids and the titles that the shop gave them."""
    unseen = items.join(log, on="item", how="anti")
    assert len(items) == 424
    assert len(unseen) == round(0.05 * 424)
    assert f"{len(unseen)} of them have no event yet; they are kept" in printed
    for_sale = on_shelf(items, log["time"][-1])
    shelf = table(shop / "shelf.csv")
    assert_frame_equal(
        shelf.select("item", "title"), for_sale.select("item", "title"), check_row_order=False
    )
    there = len(for_sale.join(unseen, on="item", how="semi"))
    assert 0 < there < len(for_sale) < len(items)
    assert f"{len(for_sale)} items for sale, {there} of them without an event" in printed
    recommender = Recommender.load(shop / "shop.pth")
    assert set(recommender.items) == set(items["item"])
    ranked = recommender.recommend(log["user"][-1], k=5_000, attributes=("title",))
    assert dict(zip(ranked["item"], ranked["title"], strict=True)) == dict(
        items.select("item", "title").iter_rows()
    )


def lists_of_all_are_those_of_one(shop, log, printed):
    """Each user has a list, and the last one's is what was asked for alone."""
    lists, alone = table(shop / "lists.csv"), table(shop / "list.csv")
    assert set(lists["user"]) == set(log["user"])
    assert_frame_equal(lists.filter(pl.col("user") == log["user"][-1]), alone)
    assert len(alone) == 20
    assert "\nthe same\n" in printed


def the_next_day_is_known(shop, log, items, printed):
    """Its users and items are, what was sold has left, and what is still there stays."""
    tomorrow, changed = table(shop / "tomorrow.csv"), table(shop / "tomorrow_items.csv")
    newcomers = set(tomorrow["user"]) - set(log["user"])
    new = changed.join(items, on="item", how="anti")
    assert newcomers
    assert len(new)
    assert (
        f"{len(tomorrow)} new events (0 known already), {len(newcomers)} new users, "
        f"{len(new)} new items" in printed
    )
    recommender = Recommender.load(shop / "shop-updated.pth")
    assert recommender.position == len(log) + len(tomorrow)
    assert set(recommender.users) == set(log["user"]) | newcomers
    left = items.join(changed, on="item", how="anti")
    now = on_shelf(pl.concat([left, changed]), tomorrow["time"][-1])
    shelf = recommender.recommend("anybody", k=5_000, candidates="on_shelf", attributes=("title",))
    assert dict(zip(shelf["item"], shelf["title"], strict=True)) == dict(
        now.select("item", "title").iter_rows()
    )


def the_service_has_answered(shop, log, printed):
    """What it was told counts, and it ended when it was asked to."""
    n_events = len(log) + len(table(shop / "tomorrow.csv")) + 1
    answers = re.findall(r'^\{"accepted".*\}$', printed, re.MULTILINE)
    accepted = {"accepted": 1, "dropped": {}, "position": n_events}
    assert [json.loads(answer) for answer in answers] == [accepted]
    assert printed.endswith("serving on http://127.0.0.1:8000/\nstopped\n")
    journal = SqliteJournal(shop / "shop.journal", read_only=True)
    try:
        again = Recommender.load(shop / "shop-updated.pth", journal)
        assert again.position == n_events
        assert "stranger" in again.users
    finally:
        journal.close()


@needs_a_shell
def test_a_command_that_fails_ends_the_walk_though_others_go_on(tmp_path):
    blocks = ["sleep 60 &\necho begun", "echo before\nfalse\necho after", "echo next"]
    walk = walk_through.walk(blocks, tmp_path / "walk", {})
    assert next(walk).printed == "begun\n"
    with pytest.raises(walk_through.StepError, match=r"(?s)status 1 .*echo after\nbefore\n\n\Z"):
        next(walk)


@needs_a_shell
def test_a_command_cannot_take_the_next_ones_for_its_input(tmp_path):
    steps = walk_through.walk(["x=1\ncat\nprintf %s $x", "echo $x"], tmp_path / "walk", {})
    assert [step.printed for step in steps] == ["1\n", "1\n"]


def test_the_page_is_that_of_the_whole_log():
    page = walk_through.PAGE.read_text(encoding="utf-8")
    assert "3,000 rows read of items.csv" in page
    assert "3000 items, 150 of them without an event" in page
    assert '\n"004326",' in page
    assert '\n"4326",' in page


def test_outputs_come_below_their_commands_and_replace_older_ones():
    page = "a\n\n```sh\none\n```\n\n```text\nold\n```\n\nb\n\n```sh\ntwo\n```\n\nc\n"
    assert walk_through.commands_of(page) == ["one\n", "two\n"]
    steps = [walk_through.Step("one\n", ""), walk_through.Step("two\n", "2\n")]
    new = walk_through.with_outputs(page, steps)
    assert new == "a\n\n```sh\none\n```\n\nb\n\n```sh\ntwo\n```\n\n```text\n2\n```\n\nc\n"
    assert walk_through.with_outputs(new, steps) == new


@pytest.mark.parametrize("seed", range(4))
def test_an_invented_shop_is_as_it_says(seed):
    tables = make_shop.make_shop(2_000, seed)
    log, items = tables["shop"], tables["items"]
    assert len(log) == 2_000
    assert items["item"].is_unique().all()
    assert set(log["item"]) <= set(items["item"])
    assert len(items) - log["item"].n_unique() == round(make_shop.UNSEEN * len(items))
    assert set(log["behavior"]) == {"view", "bid", "buy"}
    assert moment(log["time"]).is_sorted()
    assert len({text[19:] for text in log["time"]}) == 4
    known = set(items["item"]) | set(tables["tomorrow_items"]["item"])
    assert set(tables["tomorrow"]["item"]) <= known
    assert set(tables["tomorrow"]["user"]) - set(log["user"])


def test_the_same_seed_makes_the_same_shop_and_another_one_another():
    first, again, other = (make_shop.make_shop(1_000, seed) for seed in (1, 1, 2))
    for name, found in first.items():
        assert_frame_equal(found, again[name])
    assert not first["shop"].equals(other["shop"])
