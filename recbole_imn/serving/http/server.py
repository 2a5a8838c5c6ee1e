"""The server around the application, and what goes on beside its requests."""

from __future__ import annotations

import socket

import uvicorn

from recbole_imn.serving.http.app import make_app
from recbole_imn.serving.http.background import Background
from recbole_imn.serving.http.bodies import Bodies
from recbole_imn.serving.http.opening import Opening
from recbole_imn.serving.http.served import Served
from recbole_imn.serving.http.settings import HttpSettings

# Seconds that requests have to finish when the service is told to stop.
GRACE = 30


class Server(uvicorn.Server):
    """A server that waits for no body when it is told to stop.

    Parameters
    ----------
    config : uvicorn.Config
    bodies : Bodies
    """

    def __init__(self, config: uvicorn.Config, bodies: Bodies) -> None:
        super().__init__(config)
        self._bodies = bodies

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests finish whose bodies are there, and give up the others."""
        self._bodies.close()
        await super().shutdown(sockets)


def run_server(settings: HttpSettings, opening: Opening, listener: socket.socket) -> None:
    """Serve until told to stop; requests are answered 503 until the recommender is loaded.

    Parameters
    ----------
    settings : HttpSettings
    opening : Opening
    listener : socket

    Raises
    ------
    ServingError, CheckpointError
        If the recommender cannot be loaded, or cannot go on.
    """
    served = Served()
    # Ids of users stand in addresses: who asks for whom is not for a log.
    app = make_app(served, settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config, app.state.bodies)

    def stop() -> None:
        server.should_exit = True

    background = Background(served, opening.open, stop)
    background.start()
    try:
        server.run(sockets=[listener])
    finally:
        background.stop()
