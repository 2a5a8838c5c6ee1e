"""Parts by name: those of the package, and classes of one's own."""

import numpy as np
import pytest
import torch

from recbole_imn.log import EventLog
from recbole_imn.model.branch import SimplifiedBranch
from recbole_imn.model.build import build_network
from recbole_imn.model.fusion import Sum
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.model.sources import OwnItems
from recbole_imn.model.terms import CellTerm, Freshness, ProductTerm
from recbole_imn.past import Past
from tests.stream.naive import random_stream_columns


class Twice(Sum):
    """A fusion of one's own."""


class OwnBranch(SimplifiedBranch):
    """A branch of one's own."""


class Latest(OwnItems):
    """A source of one's own."""

    n_slots = 3


class Bias(ProductTerm):
    """A term of one's own: a weight for every item."""

    def __init__(self, making):
        super().__init__(making)
        self.weight = torch.nn.Parameter(torch.zeros(making.past.log.n_items))

    def queries(self, rows, looked):
        return rows.contexts.new_ones(len(rows.columns), 1)

    def items(self, ids, represented):
        return self.weight[ids].unsqueeze(1)


class OwnFreshness(Freshness):
    """A term by cells of one's own, added by the plain loop."""

    add_to = CellTerm.add_to


def making(**options):
    log = EventLog.from_columns(**random_stream_columns(np.random.default_rng(0), 200, 6, 9))
    settings = NetworkSettings(embedding_size=4, search_ranking_weights=False, **options)
    return Making(settings, Past(log), 150)


HERE = "tests.model.test_parts."


def test_classes_of_ones_own_are_built_in():
    network = build_network(
        making(
            fusion=HERE + "Twice",
            resource_branch=HERE + "OwnBranch",
            sources=[HERE + "Latest", "successors"],
            terms=[HERE + "Bias", HERE + "OwnFreshness"],
        )
    )
    assert isinstance(network.fusion, Twice)
    assert isinstance(network.branch, OwnBranch)
    assert network.pointer.sizes == (3, 30)
    assert isinstance(network.products["tests_model_test_parts_Bias"], Bias)
    assert isinstance(network.cell_term, OwnFreshness)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion": "summ"}, "fusion names 'summ', which is none of sum, concat"),
        ({"resource_branch": "half"}, "resource_branch names 'half', which is none of simplified"),
        ({"sources": ["mine"]}, "sources names 'mine', which is none of own_items"),
        ({"terms": ["no.such.Term"]}, "terms names 'no.such.Term', which is none of freshness"),
        ({"terms": [HERE + "Twice"]}, "which is no ProductTerm and no CellTerm"),
        ({"terms": ["freshness", HERE + "OwnFreshness"]}, "more than one term by cells"),
    ],
)
def test_parts_that_do_not_exist_are_refused(options, message):
    with pytest.raises(SettingsError) as error:
        build_network(making(**options))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
