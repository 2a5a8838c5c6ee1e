"""The service keeps to its own description, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from recbole_imn.serving.http import HttpSettings, Served, make_app
from recbole_imn.serving.http.opening import Running

KEY = "a-key-that-nobody-guesses"


SERVED = Served()
APP = make_app(SERVED, HttpSettings(rate=0))
schema = schemathesis.openapi.from_asgi("/openapi.json", APP)


@pytest.fixture(autouse=True)
def filled(recommender):
    """Let the service have a recommender."""
    SERVED.fill(Running(lambda: recommender))


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Case):
    _ask_for_what_is_known(case)
    case.call_and_validate()


def _ask_for_what_is_known(case: Case) -> None:
    """Put known ids into half of the addresses that are as they should be."""
    if case.meta.generation.mode.is_negative:
        return
    recommender = SERVED.get()
    known = {"user": recommender.users, "item": recommender.items}
    for name, value in case.path_parameters.items():
        if len(value) % 2:
            case.path_parameters[name] = known[name][len(value) % 7]


def test_every_route_says_what_may_go_wrong_and_that_it_needs_a_key():
    described = make_app(SERVED, HttpSettings(api_key=KEY)).openapi()
    for path, methods in described["paths"].items():
        for operation in methods.values():
            statuses = set(operation["responses"])
            assert "200" in statuses
            if path not in ("/health", "/ready"):
                assert {"401", "429", "503"} <= statuses
                assert operation["security"] == [{"APIKeyHeader": []}]
            if "requestBody" in operation:
                assert {"400", "409", "413", "415", "422"} <= statuses
