"""What was told of items changes no scale: whoever opens a saved market scores as it did."""

from pathlib import Path

import numpy as np
import pytest

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import CheckpointError
from recbole_imn.model.plus import IMNNetPlus
from recbole_imn.serving import Recommender
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.updating.update import update
from recbole_imn.serving.updating.wishes import Wishes

TOLD = {
    "prices": {"price": 5.0},
    "an unknown brand": {"brand": "weird"},
    "no brand": {"brand": None},
    "nothing but a title": {"title": "a nice car"},
}


def trained_item(recommender: Recommender) -> str:
    """Give an item that scales were fitted on."""
    market = recommender.market
    return market.items.name(int(market.session.past.log.item[0]))


def has_columns_that_were_all_alike(recommender: Recommender) -> bool:
    """Whether a feature that had one value in training has several now."""
    snapshot = recommender.market.snapshot
    numbers = snapshot.fitted_items
    then, now = snapshot.features_as_fitted()[numbers], snapshot.item_features[numbers]
    return any(len(a.unique()) == 1 < len(b.unique()) for a, b in zip(then.T, now.T, strict=True))


@pytest.fixture(scope="module")
def holding(market_folder, tmp_path_factory):
    """A shop whose model goes by what users hold, too."""
    from tests.serving.conftest import prepared_shop

    place = tmp_path_factory.mktemp("holding")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr("sys.argv", ["test"])
        terms = ["freshness", "taste", "holdings"]
        return prepared_shop(market_folder, place, IMNNetPlus.__name__, None, terms=terms)


def tell(recommender: Recommender, told: dict) -> None:
    recommender.tell_items([(trained_item(recommender), told), ("new", told)])


def scores_of(recommender: Recommender) -> np.ndarray:
    return recommender.scores(recommender.users[:20])[1]


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
@pytest.mark.parametrize("model", ["shop", "holding"])
def test_scores_are_the_same_after_it_is_opened_again(model, told, request, tmp_path):
    recommender = request.getfixturevalue(model).recommender()
    tell(recommender, told)
    before = scores_of(recommender)
    for name in ("once.pth", "twice.pth"):
        recommender.save(tmp_path / name)
        recommender = Recommender.load(tmp_path / name)
        assert np.array_equal(scores_of(recommender), before)


def test_what_files_did_not_keep_is_found_in_the_weights(recommender, tmp_path):
    """Files of earlier versions, which could not be opened."""
    tell(recommender, {"brand": "weird", "price": 5.0})
    assert has_columns_that_were_all_alike(recommender)
    before = scores_of(recommender)
    recommender.save(tmp_path / "new.pth")
    values = load_checkpoint(tmp_path / "new.pth")
    del values[KEY]["fitted_features"]
    write_sealed(tmp_path / "old.pth", values, CHECKPOINT)
    assert np.array_equal(scores_of(Recommender.load(tmp_path / "old.pth")), before)


@pytest.mark.parametrize("wishes", [{}, {"train": True, "epochs": 1, "keep": "new"}])
def test_an_update_with_a_corrected_attribute_can_be_opened(shop, wishes, tmp_path):
    known = trained_item(shop.recommender())
    (tmp_path / "items.csv").write_text(f"item,brand,price\n{known},weird,99\n")
    columns = shop.events(shop.start, shop.start + 60)
    names = [name for name in ("user", "item", "time", "behavior", *shop.fields) if name in columns]
    rows = zip(*(columns[name] for name in names), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    (tmp_path / "events.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    wishes = Wishes(items=tmp_path / "items.csv", progress=False, **wishes)
    done = update(shop.file, [tmp_path / "events.csv"], Path(tmp_path / "out.pth"), wishes)
    opened = Recommender.load(done.output)
    assert has_columns_that_were_all_alike(opened)
    before = scores_of(opened)
    opened.save(tmp_path / "again.pth")
    assert np.array_equal(scores_of(Recommender.load(tmp_path / "again.pth")), before)


def test_what_could_not_be_opened_takes_nobody_s_place(recommender, tmp_path):
    place = tmp_path / "shop.pth"
    recommender.save(place)
    before = place.read_bytes()
    final = recommender._checkpoint["config"]["final"]
    final["embedding_size"] += 1
    with pytest.raises(CheckpointError, match=r"was not written.*of another network.*stays"):
        recommender.save(place)
    assert place.read_bytes() == before
    final["embedding_size"] -= 1
    assert len(list(tmp_path.glob("*shop*"))) == 1
