"""recommend, similar and their one-line errors, in this process."""

import io
import json

import pandas as pd
import pytest

from recbole_imn.__main__ import main
from tests.serving.commands.conftest import assert_same


def test_lists_are_those_of_the_recommender(command, recommender):
    users = [*recommender.users[:2], "nobody"]
    asked = [f"--user={user}" for user in users]
    options = ["--k=4", "--attributes=brand,price", "--exclude=seen", "--diversify=0.3"]
    expected = recommender.recommend_many(
        users, k=4, exclude="seen", diversify=0.3, attributes=("brand", "price")
    )
    done = command("recommend", *asked, *options, "--format=csv")
    assert done.status == 0
    assert_same(pd.read_csv(io.StringIO(done.out), dtype={"user": "str", "item": "str"}), expected)
    assert "SIMULATED" in done.err
    assert done.err.endswith("\nnot known, and ranked for as new users: nobody\n")
    done = command("recommend", *asked, *options, "--format=jsonl")
    assert_same(pd.DataFrame([json.loads(line) for line in done.out.splitlines()]), expected)


def test_a_table_names_the_moment_and_says_that_it_is_simulated(command, recommender):
    user, last = recommender.users[0], recommender.last_time
    done = command("recommend", f"--user={user}", "--k=3")
    lines = done.out.splitlines()
    moment = recommender.clock.text(last)
    assert lines[0] == f"for {user} on market as of {moment}"
    assert lines[2].split() == ["rank", "item", "score"]
    expected = recommender.recommend(user, k=3)
    shown = [line.split() for line in lines[4:7]]
    assert shown == [
        [str(rank), item, f"{score:.4f}"] for rank, item, score in expected.itertuples(index=False)
    ]
    assert "SIMULATED" in lines[-1]
    assert "not known" not in done.err


def test_a_moment_changes_lists_and_now_is_one(command, recommender):
    user = recommender.users[0]
    later = recommender.clock.text(recommender.last_time + 30 * 86400)
    options = [f"--user={user}", "--k=5", "--format=csv"]
    done = command("recommend", *options, f"--at={later}")
    found = pd.read_csv(io.StringIO(done.out), dtype={"user": "str", "item": "str"})
    expected = recommender.recommend_many([user], later, 5)
    assert_same(found, expected)
    assert found["score"].tolist() != recommender.recommend(user, k=5)["score"].tolist()
    assert command("recommend", *options, "--at=now").status == 0


def test_what_is_for_sale(command, recommender):
    user = recommender.users[0]
    options = [f"--user={user}", "--candidates=on_shelf", "--k=100000", "--format=csv"]
    found = pd.read_csv(
        io.StringIO(command("recommend", *options).out), dtype={"user": "str", "item": "str"}
    )
    assert_same(found, recommender.recommend_many([user], k=100000, candidates="on_shelf"))
    assert len(found) < len(recommender.items)


def test_items_alike(command, recommender):
    item = recommender.items[3]
    done = command("similar", f"--item={item}", "--k=3", "--attributes=all", "--format=csv")
    found = pd.read_csv(io.StringIO(done.out), dtype={"item": "str"})
    assert_same(found, recommender.similar(item, 3, attributes=recommender.attributes))
    assert item not in found["item"].tolist()


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("recommend", ["--user=1", "--at=yesterday"], "error: 'yesterday' is no moment; "),
        ("recommend", ["--user=1", "--attributes=colour"], "error: --attributes names 'colour'"),
        ("recommend", ["--user=1", "--attributes=brand,brand"], "error: --attributes names 'bra"),
        ("recommend", ["--user="], "error: user is ''; an id has 1 to 1000 characters"),
        ("similar", ["--item=no-such-item"], "error: item 'no-such-item' is not known"),
        ("export", ["--users=no-such-file"], "error: no-such-file: No such file or directory"),
    ],
)
def test_errors_are_one_line(command, name, options, line):
    done = command(name, *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(line)
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["recommend", "file"],
        ["recommend", "file", "--user=1", "--k=0"],
        ["recommend", "file", "--user=1", "--diversify=2"],
        ["recommend", "file", "--user=1", "--exclude=everything"],
        ["similar", "file", "--item=1", "--format=parquet"],
        ["export", "file", "--capacity=-1"],
        ["snapshot", "file", "--until=tomorrow"],
    ],
)
def test_options_that_make_no_sense_are_one_line(options, capsys):
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1


@pytest.mark.parametrize("name", ["snapshot", "recommend", "similar", "explain", "export"])
def test_a_file_that_is_no_checkpoint_is_one_line(name, tmp_path, capsys):
    asked = {"recommend": ["--user=1"], "similar": ["--item=1"], "explain": ["--user=1"]}
    asked["explain"].append("--item=1")
    for content in (None, b"", b"nothing of the kind"):
        file = tmp_path / "some.pth"
        if content is not None:
            file.write_bytes(content)
        assert main([name, str(file), *asked.get(name, [])]) == 2
        line = capsys.readouterr().err
        assert line.startswith(f"error: {file} ")
        assert line.count("\n") == 1
