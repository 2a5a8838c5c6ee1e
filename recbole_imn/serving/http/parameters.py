"""Parameters behind the question mark of an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from recbole_imn.validation import nearest


async def known_parameters(request: Request) -> None:
    """Refuse parameters that the route does not have, or has once; FastAPI would pass over them.

    Raises
    ------
    RequestValidationError
    """
    is_list = dict(_parameters(request.scope["route"].dependant))
    told = [name for name, _ in request.query_params.multi_items()]
    for name in request.query_params:
        if name not in is_list:
            reason = f"there is no such parameter{nearest(name, is_list)}"
        elif told.count(name) > 1 and not is_list[name]:
            reason = f"it comes {told.count(name)} times; give it once"
        else:
            continue
        raise RequestValidationError([{"loc": ("query", name), "msg": reason}])


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Give the names of parameters, and whether each may come several times."""
    for parameter in dependant.query_params:
        yield parameter.alias, get_origin(parameter.field_info.annotation) is list
    for other in dependant.dependencies:
        yield from _parameters(other)
