"""A data set with features of every kind, and what its checkpoint holds."""

import pytest

from recbole_imn.data.dataset import IMNNetDataset
from tests.data.feature_maps.cells import CASES
from tests.reliability.logs import RICH, write_rich


class Watched(IMNNetDataset):
    """Keeps the table that features of events were made of."""

    def _event_features(self, log, key):
        self.table = log.copy()
        return super()._event_features(log, key)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def load(tmp_path, make_config):
    def run(rows=None, items=None, **options):
        write_rich(tmp_path, "rich", rows, items)
        options = {**RICH, "inventory_features": ["kind", "paid"], **options}
        dataset = Watched(make_config("IMNNet", dataset="rich", **options))
        dataset._change_feat_format()
        return dataset

    return run
