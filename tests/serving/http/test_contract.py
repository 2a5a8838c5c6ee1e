"""The service keeps to its own description, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from recbole_imn.serving.http import HttpSettings, make_app

KEY = "a-key-that-nobody-guesses"


@pytest.fixture
def described(recommender):
    """The description of a service with a key."""
    app = make_app(recommender, HttpSettings(rate=0, api_key=KEY))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    @schema.hook
    def map_path_parameters(context, path_parameters):
        """Ask for what is known as often as for what is not."""
        known = {"user": recommender.users, "item": recommender.items}
        for name, value in (path_parameters or {}).items():
            if isinstance(value, str) and len(value) % 2:
                path_parameters[name] = known[name][len(value) % 7]
        return path_parameters

    return schema


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Case):
    case.call_and_validate(headers={"X-API-Key": KEY})


def test_every_route_says_what_may_go_wrong(described):
    for path, methods in described.raw_schema["paths"].items():
        for operation in methods.values():
            statuses = set(operation["responses"])
            assert "200" in statuses
            if path not in ("/health", "/ready"):
                assert {"401", "429", "503"} <= statuses
            if "requestBody" in operation:
                assert {"400", "409", "413", "415", "422"} <= statuses
