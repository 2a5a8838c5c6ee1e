"""Which status an error has."""

import json

import pytest

from recbole_imn.errors import JournalError, ServingError, UnknownItemError
from recbole_imn.serving.http import problems


@pytest.mark.parametrize(
    ("error", "status"),
    [(ServingError("late"), 409), (UnknownItemError("x"), 404), (JournalError("full"), 503)],
)
def test_what_may_be_sent_again_is_no_conflict(error, status):
    """A client drops what is refused, and sends again what was not taken for want of room."""
    found = problems._serving(None, error)
    assert found.status_code == json.loads(found.body)["status"] == status
    assert ("retry-after" in found.headers) == (status == 503)
