"""Journals: what a recommender was told, in order and on disk before it is acknowledged."""

from recbole_imn.serving.journal.base import Journal, Record, StateMachine
from recbole_imn.serving.journal.redis import RedisJournal
from recbole_imn.serving.journal.sqlite import SqliteJournal

__all__ = ["Journal", "Record", "RedisJournal", "SqliteJournal", "StateMachine"]
