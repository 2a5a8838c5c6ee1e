"""How far into a log a search for settings has looked, and test rows that begin before."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_imn.errors import SettingsError
from recbole_imn.model.rows import EVENT_INDEX

# Under the key ``tuning`` of a file of tuned settings: the time of the search's last validation
# event, as the log has times.
VALIDATION_ENDS = "validation_ends"


def validation_ends(dataset: Any) -> float | None:
    """Give the time of the last event that validation may rank.

    Parameters
    ----------
    dataset : StreamDataset
        Whose parts were built.

    Returns
    -------
    float or None
        Seconds, as the log has them; None where parts are not cut in time for all users, since
        validation rows of one user lie behind test rows of another there.
    """
    if not dataset.has_global_time_split:
        return None
    return float(dataset.log.time[dataset.event_bounds[2] - 1])


def require_unseen_test(dataset: Any, test: Any) -> None:
    """Refuse test rows that the search for these settings had as validation rows.

    Parameters
    ----------
    dataset : StreamDataset
        Its setting ``tuning`` tells of the search; without one nothing is refused.
    test : StreamDataset
        The test part.

    Raises
    ------
    SettingsError
        If the test begins before the search's validation ended.
    """
    ends = (dataset.config["tuning"] or {}).get(VALIDATION_ENDS)
    if ends is None or len(test) == 0:
        return
    times = dataset.log.time[test.inter_feat[EVENT_INDEX].numpy()]
    seen = int(np.count_nonzero(times < ends))
    if seen:
        raise SettingsError(
            f"{seen:,} of {len(times):,} test rows come before {ends:.15g}, where the validation "
            "part of the search ends that chose these settings; tune again with the same cut, or "
            "leave tuned settings out (--tuned=none in a benchmark, --tuning=None to use them all "
            "the same)"
        )
