"""Training that goes on: what learns, what stays, and that the same command gives the same bits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import CheckpointError, DataError
from recbole_imn.serving import Recommender
from recbole_imn.serving.opening import own_weights
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.updating import training
from recbole_imn.serving.updating.growing import grown_network
from recbole_imn.serving.updating.update import state_beside, update
from recbole_imn.serving.updating.wishes import Wishes
from tests.serving.updating.conftest import rows_of
from tests.serving.updating.test_update import observed, same, values

TRAIN = Wishes(train=True, keep="new", epochs=2, validation=0.2, progress=False)


@pytest.fixture(scope="module")
def trained(shop, tmp_path_factory):
    """An update with training, and the file of its events."""
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "new.csv"
    write_events(shop, path)
    return update(shop.file, [path], folder / "trained.pth", TRAIN), path


def write_events(shop, path):
    import polars as pl

    rows = rows_of(shop, shop.start, shop.stop)
    for place, row in enumerate(rows[::7]):
        row["user"] = f"new-{place % 5}"
        row["item"] = f"thing-{place % 3}"
    pl.DataFrame(rows, schema_overrides={"shelf_size": pl.String}).write_csv(path)


def weights(file):
    return own_weights(values(file)["state_dict"])


def test_the_loss_of_what_was_trained_falls(trained):
    done, _ = trained
    assert len(done.learned.losses) == 2
    assert done.learned.losses[1] < done.learned.losses[0]


def test_the_last_share_judges_and_nothing_learns_from_it(shop, trained):
    done, _ = trained
    n_new = shop.stop - shop.start
    assert done.learned.start == shop.start
    assert done.learned.end == shop.stop
    assert done.learned.stop == shop.stop - round(0.2 * n_new)
    snapshot = values(done.output)[KEY]
    assert snapshot["n_training"] == done.learned.stop
    assert snapshot["n_fitted"] == values(shop.file)[KEY]["n_training"]
    assert snapshot["bounds"] == [0, done.learned.stop, shop.stop, shop.stop]


def test_ids_that_learned_get_rows_of_their_own(shop, trained):
    done, _ = trained
    old, new = weights(shop.file), weights(done.output)
    log = Recommender.load(done.output).market.session.past.log
    for name, ids in (("user", log.user), ("item", log.item)):
        before, after = (found[f"statics.{name}.table.weight"] for found in (old, new))
        assert len(after) == int(ids[: done.learned.stop].max()) + 1 > len(before)
        learned = np.unique(ids[done.learned.start : done.learned.stop])
        fresh = learned[learned >= len(before)]
        assert len(fresh)
        assert (after[fresh] != old[f"statics.{name}.unseen"]).any(dim=1).all()


def test_users_who_were_not_trained_keep_their_rows(shop, trained):
    done, _ = trained
    old, new = weights(shop.file), weights(done.output)
    log = Recommender.load(done.output).market.session.past.log
    learned = set(log.user[done.learned.start : done.learned.stop].tolist())
    for table in ("statics.user.table.weight", "products.taste.users.weight"):
        before, after = old[table], new[table][: len(old[table])]
        moved = set((after != before).any(dim=1).nonzero().squeeze(1).tolist())
        assert moved
        assert moved <= learned
        assert len(moved) < len(before) - 1


def test_states_before_the_new_events_are_those_of_a_replay(shop, trained, tmp_path):
    done, path = trained
    checkpoint = values(shop.file)
    checkpoint[KEY]["memories"] = None
    write_sealed(tmp_path / "bare.pth", checkpoint, CHECKPOINT)
    other = update(tmp_path / "bare.pth", [path], tmp_path / "a.pth", TRAIN)
    assert same(values(done.output), values(other.output))


def test_a_network_that_has_grown_scores_as_the_old_one(shop, trained):
    done, path = trained
    recommender = observed(shop, path)
    market = recommender.market
    config = load_checkpoint(shop.file)["config"]["final"]
    names = [*recommender.users[:8], "new-0", "new-3"]
    old = recommender.scores(names)[1]
    network = grown_network(config, market, done.learned.stop)
    state = market.session.state()
    session = type(market.session)(network, market.session.past, done.learned.stop)
    training.same_states(session, state)
    market.session = session
    assert len(network.statics.user.table.weight) > done.users[0] + 1
    assert np.array_equal(recommender.scores(names)[1], old)


def test_scales_stay_as_they_were_fitted(shop, trained):
    done, _ = trained
    old, new = weights(shop.file), weights(done.output)
    network = Recommender.load(done.output).market.session.network
    buffers = dict(network.named_buffers()).keys() & old.keys()
    assert "products.taste.reference" in buffers
    assert all(same(old[name], new[name]) for name in buffers)
    assert same(values(shop.file)[KEY]["feature_maps"], values(done.output)[KEY]["feature_maps"])


def test_states_are_those_of_a_replay_with_the_new_weights(trained):
    done, _ = trained
    recommender = Recommender.load(done.output)
    names = [*recommender.users[:8], *recommender.users[-3:]]
    scores = recommender.scores(names)[1]
    recommender.market.session.weights_changed()
    assert np.array_equal(recommender.scores(names)[1], scores)


def test_the_judgement_compares_both_weights_on_the_same_rows(trained):
    done, _ = trained
    judged = done.learned.judgement
    assert judged.rows <= done.learned.end - done.learned.stop
    assert set(judged.old) == {"recall@10", "ndcg@10", "mrr@10"}
    figure = judged.comparison.figure
    assert figure.mean == pytest.approx(judged.new["ndcg@10"] - judged.old["ndcg@10"])
    assert figure.low <= figure.mean <= figure.high


def test_old_weights_are_judged_as_offline(shop, tmp_path, write):
    rows = rows_of(shop, shop.start, shop.stop)
    done = update(shop.file, [write(rows)], tmp_path / "a.pth", replace(TRAIN, epochs=1))
    events = np.arange(done.learned.stop, shop.stop)
    past = shop.model.session.past
    events = events[past.chains.user[events] >= 0]
    scores = shop.model.session.scores_before(events)[:, 1:]
    # The data set knows items of which the shop has not heard, but for those of the files.
    known = shop.recommender().items
    told = {row["item"] for row in rows}
    names = [str(name) for name in shop.dataset.field2id_token["item_id"][1:]]
    there = [place for place, name in enumerate(names) if name in known or name in told]
    own = scores[np.arange(len(events)), shop.dataset.log.item[events] - 1]
    part = scores[:, there]
    above = (part > own[:, None]).sum(dim=1) + ((part == own[:, None]).sum(dim=1) - 1) / 2
    gain = torch.where(above < 10, 1 / torch.log2(2 + above.double()), 0.0)
    assert done.learned.judgement.rows == len(events)
    assert done.learned.judgement.old["ndcg@10"] == pytest.approx(float(gain.mean()), abs=1e-12)


def test_the_same_command_gives_the_same_bits(shop, trained, tmp_path):
    done, path = trained
    torch.manual_seed(99)
    again = update(shop.file, [path], tmp_path / "again.pth", TRAIN)
    assert same(values(done.output), values(again.output))
    assert again.learned == done.learned


def test_an_interrupted_training_goes_on_after_its_last_epoch(shop, trained, tmp_path, monkeypatch):
    done, path = trained
    output = tmp_path / "again.pth"
    keep = training.Training._keep

    def interrupted(self, optimizer):
        keep(self, optimizer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "_keep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            update(shop.file, [path], output, TRAIN)
    assert not output.exists()
    assert state_beside(output).exists()
    epochs = []
    run = training.Training._epoch

    def counted(self, *args):
        epochs.append(args[1])
        return run(self, *args)

    monkeypatch.setattr(training.Training, "_epoch", counted)
    again = update(shop.file, [path], output, TRAIN)
    assert epochs == ["epoch 2/2"]
    assert same(values(done.output), values(again.output))
    assert again.learned == done.learned
    assert not state_beside(output).exists()


def test_what_another_update_has_kept_is_not_taken(shop, trained, tmp_path, monkeypatch):
    done, path = trained
    output = tmp_path / "again.pth"
    keep = training.Training._keep

    def interrupted(self, optimizer):
        keep(self, optimizer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "_keep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            update(shop.file, [path], output, replace(TRAIN, validation=0.3))
    again = update(shop.file, [path], output, TRAIN)
    assert same(values(done.output), values(again.output))


@pytest.mark.parametrize(("difference", "kept"), [(-0.01, "old"), (0.0, "new"), (0.01, "new")])
def test_worse_weights_are_not_kept(shop, trained, tmp_path, monkeypatch, difference, kept):
    from recbole_imn.serving.updating import learning

    _, path = trained
    judge = learning.judge

    def judged(*args):
        found = judge(*args)
        return replace(found, new={**found.old, "ndcg@10": found.old["ndcg@10"] + difference})

    monkeypatch.setattr(learning, "judge", judged)
    wishes = replace(TRAIN, keep="better", epochs=1)
    done = update(shop.file, [path], tmp_path / "a.pth", wishes)
    assert done.learned.kept == kept
    is_same = same(weights(shop.file), weights(done.output))
    assert is_same == (kept == "old")


def test_old_weights_that_are_kept_leave_what_a_replay_leaves(shop, trained, tmp_path):
    _, path = trained
    wishes = replace(TRAIN, keep="old", epochs=1)
    done = update(shop.file, [path], tmp_path / "a.pth", wishes)
    plain = update(shop.file, [path], tmp_path / "b.pth", Wishes(progress=False))
    assert same(values(done.output), values(plain.output))


def test_an_update_can_be_updated(shop, trained, tmp_path, write):
    done, _ = trained
    rows = rows_of(shop, shop.stop - 40, shop.stop)
    later = shop.event(shop.stop - 1)["time"] + 1.0
    for place, row in enumerate(rows):
        row["time"] = later + place
    again = update(done.output, [write(rows)], tmp_path / "b.pth", replace(TRAIN, epochs=1))
    snapshot = values(again.output)[KEY]
    assert snapshot["n_fitted"] == values(shop.file)[KEY]["n_training"]
    recommender = Recommender.load(again.output)
    assert recommender.position == shop.stop + 40
    assert same(
        weights(shop.file)["products.taste.reference"],
        weights(again.output)["products.taste.reference"],
    )


def test_all_that_was_never_trained_can_be_learned_from(shop, trained, tmp_path):
    _, path = trained
    wishes = replace(TRAIN, since="trained", epochs=1)
    done = update(shop.file, [path], tmp_path / "a.pth", wishes)
    assert done.learned.start == values(shop.file)[KEY]["n_training"] < shop.start


def test_too_few_events_are_refused(shop, tmp_path, write):
    rows = rows_of(shop, shop.start, shop.start + 1)
    with pytest.raises(DataError, match="1 new events are too few to learn from"):
        update(shop.file, [write(rows)], tmp_path / "a.pth", TRAIN)
    with pytest.raises(DataError, match=r"--validation is 1\.5; it is a share"):
        Wishes(validation=1.5)
    strangers = rows_of(shop, shop.start, shop.start + 9)
    strangers[-1]["user"] = "stranger"
    wishes = replace(TRAIN, validation=0.1)
    with pytest.raises(DataError, match="nothing can judge"):
        update(shop.file, [write(strangers)], tmp_path / "a.pth", wishes)


def test_a_damaged_state_is_told(shop, trained, tmp_path, monkeypatch):
    _, path = trained
    output = tmp_path / "again.pth"
    keep = training.Training._keep

    def interrupted(self, optimizer):
        keep(self, optimizer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "_keep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            update(shop.file, [path], output, TRAIN)
    data = bytearray(state_beside(output).read_bytes())
    data[200] ^= 1
    state_beside(output).write_bytes(data)
    with pytest.raises(CheckpointError, match=r"is damaged: .*; remove it to begin anew"):
        update(shop.file, [path], output, TRAIN)
