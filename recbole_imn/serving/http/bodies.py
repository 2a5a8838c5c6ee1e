"""Bodies of requests, read before anything is computed: whole, short enough and in time."""

from __future__ import annotations

import anyio
from starlette.responses import Response
from starlette.types import Message, Receive

from recbole_imn.serving.http.limits import too_long
from recbole_imn.serving.http.problems import problem
from recbole_imn.serving.http.settings import HttpSettings

# A body that is given up would otherwise be taken for the next request.
CLOSE = {"Connection": "close"}


class Refused(Exception):
    """A body that was given up.

    Attributes
    ----------
    answer : Response or None
        What is to be said; None where nobody listens any more.
    """

    def __init__(self, answer: Response | None) -> None:
        super().__init__()
        self.answer = answer


class Bodies:
    """Reads bodies, so many at a time; the one that takes longest makes room for others.

    Only ever touched on the event loop, so without a lock.

    Parameters
    ----------
    settings : HttpSettings
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        # Oldest first, each with what to say if it must go.
        self._reading: dict[anyio.CancelScope, Response] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return how many are being read."""
        return len(self._reading)

    async def read(self, receive: Receive) -> Receive:
        """Read a body, and give what hands it out.

        Raises
        ------
        Refused
            If it is too long, not there in time, or has to make room.
        """
        if self._closed:
            raise Refused(_stopping())
        if len(self._reading) >= self._settings.waiting:
            self._give_up(next(iter(self._reading)), _crowded())
        seconds = self._settings.body_seconds
        with anyio.move_on_after(seconds) as scope:
            self._reading[scope] = _late(seconds)
            try:
                return _handing_out(await self._whole(receive), receive)
            finally:
                answer = self._reading.pop(scope)
        raise Refused(answer)

    def close(self) -> None:
        """Give up all that are not there yet: the service stops."""
        self._closed = True
        for scope in list(self._reading):
            self._give_up(scope, _stopping())

    def _give_up(self, scope: anyio.CancelScope, answer: Response) -> None:
        self._reading[scope] = answer
        scope.cancel()

    async def _whole(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(None)
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > self._settings.body_bytes:
                raise Refused(problem(413, too_long(self._settings.body_bytes), CLOSE))
        return b"".join(parts)


def _handing_out(body: bytes, receive: Receive) -> Receive:
    """Hand out a body, and after it whatever comes, such as that the client has gone."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def hand_out() -> Message:
        return messages.pop() if messages else await receive()

    return hand_out


def _late(seconds: float) -> Response:
    told = f"the body was not there after {seconds:g} seconds; send it again, or in parts"
    return problem(408, told, CLOSE)


def _crowded() -> Response:
    told = "too many bodies at a time, of which this one came slowest; send it again"
    return problem(503, told, {"Retry-After": "1", **CLOSE})


def _stopping() -> Response:
    told = "the service stops before the body is there; send it again later"
    return problem(503, told, {"Retry-After": "5", **CLOSE})
