"""explain prints what the recommender explains."""

import json

import pytest


@pytest.fixture
def asked(recommender):
    """A user and the item that they would like best."""
    user = recommender.users[0]
    return user, recommender.recommend(user, k=1)["item"].tolist()[0]


def test_the_sentence_is_above_the_parts(command, recommender, asked):
    user, item = asked
    expected = recommender.explain(user, item)
    lines = command("explain", f"--user={user}", f"--item={item}").out.splitlines()
    assert lines[0] == expected.sentence
    assert lines[2].split() == ["name", "value", "typical", "detail"]
    shown = "\n".join(lines[4:])
    for part in expected.parts:
        assert part.name in shown
        assert f"{part.value:.4f}" in shown
    assert "SIMULATED" in lines[-1]


def test_all_of_it_as_json(command, recommender, asked):
    user, item = asked
    options = ["--purchases=0", "--candidates=all", "--format=json"]
    done = command("explain", f"--user={user}", f"--item={item}", *options)
    assert json.loads(done.out) == recommender.explain(user, item, purchases=0).to_dict()


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_user_who_is_not_known_is_named(command, asked, form):
    done = command("explain", "--user=nobody", f"--item={asked[1]}", f"--format={form}")
    assert done.err.endswith("not known, and explained as new users: nobody\n")
    assert "the user" not in done.out.partition("\n\n")[0]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--item=no-such-item"], "error: item 'no-such-item' is not known"),
        (["--item=1", "--purchases=-1"], "error: purchases is -1; "),
        (["--item=1", "--at=yesterday"], "error: 'yesterday' is no moment; "),
    ],
)
def test_errors_are_one_line(command, options, line):
    done = command("explain", "--user=1", *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(line)
    assert done.err.count("\n") == 1
