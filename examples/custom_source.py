"""A source of candidates of one's own: ``python examples/custom_source.py``."""

import numpy as np

from recbole_imn.log import NO_EVENT, Integers
from recbole_imn.model.sources import Source
from recbole_imn.past import Facts, Past

# Latest events of the log in which items are looked for.
HORIZON = 100


class HotItems(Source):
    """What is hot right now: the latest distinct items, whoever touched them."""

    n_slots = 10

    def find(self, past: Past, facts: Facts) -> Integers:
        """Give the latest event with each item, newest first, int64 [n, 10]."""
        events = np.full((len(facts), self.n_slots), NO_EVENT)
        for row, position in enumerate(facts.position):
            latest = np.arange(max(position - HORIZON, 0), position)[::-1]
            _, firsts = np.unique(past.log.item[latest], return_index=True)
            found = latest[np.sort(firsts)][: self.n_slots]
            events[row, : len(found)] = found
        return events


SOURCES = ["own_items", "co_visited", "custom_source.HotItems"]
SETTINGS = {"sources": SOURCES, "epochs": 1, "train_batch_size": 1024}

if __name__ == "__main__":
    # After recbole_imn, which mends it.
    from recbole.quick_start import run_recbole

    result = run_recbole(model="IMNNetPlus", dataset="czb-mini", config_dict=SETTINGS)
    print(result["test_result"])
