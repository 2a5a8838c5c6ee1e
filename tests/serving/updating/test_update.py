"""An update is what observing would have led to, whatever file tells of the events."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from recbole_imn.errors import CheckpointError, DataError
from recbole_imn.serving import Recommender
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.updating.update import output_beside, update
from recbole_imn.serving.updating.wishes import Wishes
from tests.serving.updating.conftest import rows_of

QUIET = Wishes(progress=False)


def values(file):
    return torch.load(file, weights_only=True)


def same(one, other):
    """Whether nested plain values and tensors are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(7), other.nan_to_num(7))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)


def observed(shop, path):
    """A recommender that has observed the events of a file."""
    recommender = shop.recommender()
    frame = pl.read_csv(path, schema_overrides={"user": pl.String, "item": pl.String})
    recommender.observe_many(frame)
    return recommender


def test_scores_are_those_of_a_recommender_that_observed(shop, new_events, tmp_path):
    done = update(shop.file, [new_events], tmp_path / "updated.pth", QUIET)
    one, other = Recommender.load(done.output), observed(shop, new_events)
    assert one.users == other.users
    assert one.items == other.items
    assert "new-0" in one.users
    assert "thing-0" in one.items
    assert one.position == other.position == shop.stop
    names = [*one.users[:10], *one.users[-5:], "nobody"]
    assert np.array_equal(one.scores(names)[1], other.scores(names)[1])
    assert done.observed.accepted == shop.stop - shop.start
    assert done.known_rows == 0
    assert done.users[1] - done.users[0] >= 5
    assert done.items[1] - done.items[0] == 3


def test_weights_of_a_replay_are_as_they_were(shop, new_events, tmp_path):
    done = update(shop.file, [new_events], tmp_path / "updated.pth", QUIET)
    old, new = values(shop.file), values(done.output)
    assert same(old["state_dict"], new["state_dict"])
    assert new[KEY]["n_training"] == old[KEY]["n_training"]
    assert new[KEY]["bounds"] == old[KEY]["bounds"]


def test_the_whole_log_again_is_the_new_part_bit_for_bit(shop, write, tmp_path):
    rows = rows_of(shop, 0, shop.stop)
    one = update(shop.file, [write(rows, "whole.csv")], tmp_path / "one.pth", QUIET)
    parts = rows[shop.start :]
    other = update(shop.file, [write(parts, "part.csv")], tmp_path / "other.pth", QUIET)
    assert one.known_rows == shop.start
    assert one.observed == other.observed
    assert same(values(one.output), values(other.output))


def test_the_whole_log_may_lie_in_two_files_in_any_order(shop, write, tmp_path):
    rows = rows_of(shop, 0, shop.stop)
    # Events of one time stay in the order of the files.
    cut = next(k for k in range(50, shop.stop) if rows[k]["time"] != rows[k - 1]["time"])
    files = [write(rows[cut:], "late.csv"), write(rows[:cut], "early.csv")]
    done = update(shop.file, files, tmp_path / "one.pth", QUIET)
    assert done.known_rows == shop.start


@pytest.mark.parametrize(
    ("column", "value"),
    [("user", "somebody"), ("item", "something"), ("behavior", None), ("purchase", None)],
)
def test_another_log_is_refused_with_line_and_difference(shop, write, column, value):
    rows = rows_of(shop, 0, shop.stop)
    told = rows[41]
    if column == "behavior":
        value = next(row["behavior"] for row in rows if row["behavior"] != told["behavior"])
    if column == "purchase":
        value = 1 - told["purchase"]
    known = told[column]
    told[column] = value
    path = write(rows)
    shown = {"purchase": "a purchase" if known else "no purchase"}.get(column, repr(known))
    with pytest.raises(DataError) as error:
        update(shop.file, [path], None, QUIET)
    message = str(error.value)
    assert message.startswith(f"{path}, line 43: ")
    assert "event 42 of the log" in message
    assert shown in message.partition("of the log is")[2]
    assert "\n" not in message


def test_a_file_may_begin_anywhere_in_the_log_but_must_repeat_it_from_there(shop, write):
    rows = rows_of(shop, 5, shop.stop)
    assert update(shop.file, [write(rows)], None, QUIET).known_rows == shop.start - 5
    rows[0]["user"] = "somebody"
    with pytest.raises(DataError, match="line 2: the file begins before the log's last event"):
        update(shop.file, [write(rows)], None, QUIET)


def test_an_older_copy_is_refused(shop, write):
    path = write(rows_of(shop, 0, shop.start - 3))
    with pytest.raises(DataError, match="it is an older copy, and holds nothing new"):
        update(shop.file, [path], None, QUIET)


def test_the_very_log_holds_nothing_new(shop, write, tmp_path):
    path = write(rows_of(shop, 0, shop.start))
    done = update(shop.file, [path], tmp_path / "updated.pth", QUIET)
    assert not done.changed
    assert not done.output.exists()


def at_the_boundary(shop):
    """New events, begun with the log's last one and another one of the same moment."""
    last, *rows = rows_of(shop, shop.start - 1, shop.stop)
    return last, {**last, "user": "latecomer"}, rows


def test_events_of_the_last_moment_are_new_unless_the_log_has_them(shop, write, tmp_path):
    last, other, rows = at_the_boundary(shop)
    done = update(shop.file, [write([last, other, *rows])], tmp_path / "a.pth", QUIET)
    assert done.observed.dropped["duplicate"] >= 1
    assert "latecomer" in Recommender.load(done.output).users
    alone = update(shop.file, [write([other, *rows])], tmp_path / "b.pth", QUIET)
    assert same(values(done.output), values(alone.output))


def test_the_whole_log_may_go_on_at_its_last_moment(shop, write, tmp_path):
    last, other, rows = at_the_boundary(shop)
    whole = [*rows_of(shop, 0, shop.start), last, other, *rows]
    done = update(shop.file, [write(whole)], tmp_path / "a.pth", QUIET)
    alone = update(shop.file, [write([other, *rows])], tmp_path / "b.pth", QUIET)
    assert done.known_rows == shop.start
    assert same(values(done.output), values(alone.output))


def test_a_whole_log_that_repeats_events_matches_one_that_left_them_out(shop, write, tmp_path):
    rows = rows_of(shop, 0, shop.stop)
    twice = [*rows[:30], rows[29], *rows[30:]]
    done = update(shop.file, [write(twice)], tmp_path / "a.pth", QUIET)
    assert done.known_rows == shop.start + 1


def test_the_log_of_a_forgotten_user_still_matches(shop, write, tmp_path):
    rows = rows_of(shop, 0, shop.stop)
    recommender = shop.recommender()
    recommender.forget(rows[0]["user"])
    recommender.save(tmp_path / "forgotten.pth")
    done = update(tmp_path / "forgotten.pth", [write(rows)], None, QUIET)
    assert done.known_rows == shop.start


def test_atomic_files_are_read_in_seconds_of_the_log(shop, market_folder, write, tmp_path):
    path = market_folder / "market" / "market.inter"
    done = update(shop.file, [path], tmp_path / "a.pth", QUIET)
    csv = write(rows_of(shop, 0, shop.stop))
    other = update(shop.file, [csv], tmp_path / "b.pth", QUIET)
    assert done.known_rows == shop.start
    assert same(values(done.output), values(other.output))


def test_quotes_zones_and_other_names_are_read_as_convert_reads_them(shop, write, tmp_path):
    from datetime import datetime, timedelta

    rows = rows_of(shop, shop.start, shop.start + 20)
    plain = update(shop.file, [write(rows)], tmp_path / "a.pth", QUIET)
    told = []
    for row in rows:
        there = datetime.fromisoformat(row["time"]) + timedelta(hours=8)
        clock = there.strftime("%Y-%m-%d %H:%M:%S.%f")
        renamed = {"wer": row["user"], "was": row["item"], "wann": clock, "was noch": 'a "b",\nc'}
        others = {key: row[key] for key in row if key not in ("user", "item", "time")}
        told.append({**renamed, **others})
    columns = {"user_id": "wer", "item_id": "was", "timestamp": "wann"}
    wishes = Wishes({"columns": columns, "time_zone": "Asia/Shanghai"}, progress=False)
    other = update(shop.file, [write(told, "told.csv")], tmp_path / "b.pth", wishes)
    assert same(values(plain.output), values(other.output))


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "parquet"])
def test_other_files_tell_the_same(shop, write, tmp_path, ending):
    rows = rows_of(shop, shop.start, shop.start + 20)
    plain = update(shop.file, [write(rows)], tmp_path / "a.pth", QUIET)
    path, frame = tmp_path / f"new.{ending}", pl.DataFrame(rows)
    if ending == "tsv":
        frame.write_csv(path, separator="\t")
    elif ending == "jsonl":
        frame.write_ndjson(path)
    else:
        frame.with_columns(pl.col("time").str.to_datetime(time_zone="UTC")).write_parquet(path)
    other = update(shop.file, [path], tmp_path / "b.pth", QUIET)
    assert same(values(plain.output), values(other.output))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": "yesterday"}, "the time cannot be read"),
        ({"user": ""}, "the user or the item is empty"),
        ({"purchase": "perhaps"}, "the purchase is neither 0 nor 1"),
        ({"behavior": "stroke"}, "behavior is 'stroke', which training never saw"),
        ({"shelf_size": "many"}, "many"),
        ({"time": "2999-01-01T00:00:00+00:00"}, "lies in the future"),
    ],
)
def test_a_bad_row_is_told_with_its_line(shop, write, tmp_path, change, reason):
    rows = rows_of(shop, shop.start, shop.start + 9)
    rows[-1] = {**rows[-1], **change}
    path, output = write(rows), tmp_path / "updated.pth"
    with pytest.raises(DataError) as error:
        update(shop.file, [path], output, QUIET)
    assert str(error.value).startswith(f"{path}, line 10: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert not output.exists()


def test_files_and_checkpoints_that_are_none_are_refused(shop, write, tmp_path):
    rows = rows_of(shop, shop.start, shop.start + 3)
    with pytest.raises(DataError, match="no such file"):
        update(shop.file, [tmp_path / "missing.csv"], None, QUIET)
    with pytest.raises(CheckpointError, match="does not exist"):
        update(tmp_path / "missing.pth", [write(rows)], None, QUIET)
    path = write([{"who": row["user"], "what": row["item"]} for row in rows])
    with pytest.raises(DataError, match="no column is named for user_id"):
        update(shop.file, [path], None, QUIET)
    with pytest.raises(DataError, match="named twice"):
        update(shop.file, [path, path], None, QUIET)


def test_an_items_file_tells_of_items_before_their_first_event(shop, write, tmp_path):
    rows = rows_of(shop, shop.start, shop.start + 9)
    rows[-1]["item"] = "car"
    cells = {"item": "car", "brand": "brand4", "type": "type1", "mileage": 12000, "price": 9900}
    items = write([{**cells, "listed_at": rows[0]["time"], "delisted_at": ""}], "items.csv")
    wishes = Wishes(items=items, progress=False)
    done = update(shop.file, [write(rows)], tmp_path / "a.pth", wishes)
    assert done.told_items == 1
    one, other = Recommender.load(done.output), shop.recommender()
    other.add_items({name: [cell] for name, cell in cells.items()})
    other.observe_many(pl.DataFrame(rows))
    assert np.array_equal(one.scores(one.users)[1], other.scores(one.users)[1])
    told = one.recommend(one.users[0], k=1, candidates=["car"], attributes=["brand", "price"])
    assert told.loc[0, "brand"] == "brand4"
    assert told.loc[0, "price"] == 9900
    assert "car" in one.scores([one.users[0]], candidates="on_shelf")[0]


def test_the_item_file_of_a_data_set_changes_nothing(shop, market_folder, write, tmp_path):
    rows = rows_of(shop, shop.start, shop.start + 9)
    items = market_folder / "market" / "market.item"
    wishes = Wishes(items=items, progress=False)
    done = update(shop.file, [write(rows)], tmp_path / "a.pth", wishes)
    other = update(shop.file, [write(rows)], tmp_path / "b.pth", QUIET)
    one, two = Recommender.load(done.output), Recommender.load(other.output)
    assert done.told_items == 0
    for candidates in (None, "on_shelf"):
        names, scores = one.scores(one.users, candidates=candidates)
        assert names == two.scores(one.users, candidates=candidates)[0]
        assert np.array_equal(scores, two.scores(one.users, candidates=candidates)[1])


def test_updates_of_updates_get_numbers():
    assert output_beside(Path("a/x.pth")) == Path("a/x-updated.pth")
    assert output_beside(Path("a/x-updated.pth")) == Path("a/x-updated-2.pth")
    assert output_beside(Path("a/x-updated-9.pth")) == Path("a/x-updated-10.pth")


def test_an_update_in_place_leaves_the_old_file_when_it_is_refused(shop, write, tmp_path):
    copy = tmp_path / "shop.pth"
    copy.write_bytes(shop.file.read_bytes())
    rows = rows_of(shop, shop.start, shop.start + 3)
    with pytest.raises(DataError):
        update(copy, [write([*rows, {**rows[-1], "time": "never"}])], copy, QUIET)
    assert copy.read_bytes() == shop.file.read_bytes()
    assert update(copy, [write(rows)], copy, QUIET).observed.position == shop.start + 3
    assert Recommender.load(copy).position == shop.start + 3


def test_purchases_by_a_name_of_no_action_are_refused(shop, write, tmp_path):
    """Otherwise all of them would be lost without a word."""
    rows = rows_of(shop, shop.start, shop.start + 20)
    for row in rows:
        del row["purchase"]
    known = shop.recommender().market.snapshot.behaviours[1:]
    path = write(rows)

    def told(name):
        wishes = Wishes({"purchases": [name]}, progress=False)
        return update(shop.file, [path], tmp_path / f"{name}.pth", wishes)

    with pytest.raises(
        DataError, match=f"'{known[0]}s' is to be a purchase.*did you mean {known[0]}"
    ):
        told(f"{known[0]}s")
    # Of an action that the log knows there may be none among the new events.
    for name in known:
        assert told(name).observed.accepted == 20


def test_events_that_tell_neither_action_nor_purchase_are_refused(shop, write, tmp_path):
    """Of a log that has both, none of them would be a purchase."""
    rows = rows_of(shop, shop.start, shop.start + 20)
    bare = [{key: row[key] for key in row if key not in ("behavior", "purchase")} for row in rows]
    path = write(bare, "bare.csv")
    with pytest.raises(DataError, match=r"bare.csv: no column tells the kind of action or a purc"):
        update(shop.file, [path], tmp_path / "a.pth", QUIET)
    for name in ("behavior", "purchase"):
        told = write([{**row, name: rows[k][name]} for k, row in enumerate(bare)], f"{name}.csv")
        assert update(shop.file, [told], tmp_path / f"{name}.pth", QUIET).observed.accepted == 20
    # Who says so means it.
    wishes = Wishes({"columns": {"behavior": None}}, progress=False)
    done = update(shop.file, [path], tmp_path / "none.pth", wishes)
    assert done.observed.accepted == 20
