"""Random logs, and plain searches through them."""

import numpy as np

from recbole_imn.log import EventLog
from tests.stream.naive import random_stream_columns


def random_log(seed, n_events=80, n_users=5, n_items=7, **options):
    rng = np.random.default_rng(seed)
    columns = random_stream_columns(rng, n_events, n_users, n_items)
    return EventLog.from_columns(**columns, **options)


def of_user(log, user, position):
    """Events of a user before a position, oldest first."""
    return [k for k in range(position) if log.user[k] == user]


def of_item(log, item, position):
    """Events of an item before a position, oldest first."""
    return [k for k in range(position) if log.item[k] == item]


def previous(log, event):
    """The previous event of an event's user; -1 for none."""
    return [-1, *of_user(log, log.user[event], event)][-1]


def look_at_log(past, stop):
    """What was known of user and item just before each event below ``stop``, a few at a time."""
    walker, log = past.beginning(), past.log
    found = []
    for start in range(0, stop, 7):
        events = np.arange(start, min(start + 7, stop))
        walker.move_to(int(events[-1]) + 1)
        found.append(
            (
                walker.look_at_events(events),
                walker.look_at_items(log.item[events], log.time[events], events),
            )
        )
    return tuple(
        type(parts[0])(*map(np.concatenate, zip(*(vars(p).values() for p in parts), strict=True)))
        for parts in zip(*found, strict=True)
    )
