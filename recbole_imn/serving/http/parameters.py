"""Parameters behind the question mark of an address."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from recbole_imn.validation import nearest


async def known_parameters(request: Request) -> None:
    """Refuse parameters that the route does not have; FastAPI would pass over them.

    Raises
    ------
    RequestValidationError
    """
    known = set(_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            told = f"there is no such parameter{nearest(name, known)}"
            raise RequestValidationError([{"loc": ("query", name), "msg": told}])


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for other in dependant.dependencies:
        yield from _names(other)
