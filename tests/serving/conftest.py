"""What the tests of serving share."""

from tests.serving.journal.conftest import places, redis_server

__all__ = ["places", "redis_server"]
