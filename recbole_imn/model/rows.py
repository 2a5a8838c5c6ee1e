"""Rows of a RecBole batch as positions in the stream."""

from __future__ import annotations

from recbole.data.interaction import Interaction

from recbole_imn.log import Integers

EVENT_INDEX = "event_index"


def event_indices(interaction: Interaction) -> Integers:
    """Give the stream positions of rows, int64 [n].

    Raises
    ------
    ValueError
        If the rows do not come from a data set with a stream.
    """
    if EVENT_INDEX not in interaction.interaction:
        raise ValueError(
            f"rows have no field {EVENT_INDEX}; the model needs the data set class that the "
            f"package registers for it, got fields {interaction.columns}"
        )
    events: Integers = interaction[EVENT_INDEX].cpu().numpy().reshape(-1)
    return events
