"""Settings of the HTTP service."""

from __future__ import annotations

from dataclasses import dataclass, field

from recbole_imn.errors import ServingError

SHORTEST_KEY = 16


@dataclass(frozen=True)
class HttpSettings:
    """Limits and rights of the HTTP service.

    Attributes
    ----------
    api_key : str or None
        What clients must send as ``X-API-Key``; None lets everybody in. Never printed.
    hosts : tuple of str
        Names by which the service may be called (``Host``, without the port); empty for any. A
        service without a key that only this machine reaches names this machine here, so that no
        foreign page can call it through a name of its own.
    read_only : bool
        Refuse all that writes, as a replica does.
    rate, burst : float
        Requests a second of one client in the long run (0: no limit), and at once.
    body_bytes : int
        Longest body of a request.
    body_seconds : float
        By when all of it must be there.
    threads : int
        Requests that are computed at a time. One computes on each core; the others wait for the
        disk that makes events durable. More would only make each other slower.
    waiting : int
        Requests at a time, those that wait for a thread among them; further ones are told to
        come back. As many bodies are being read beside them; of more, the oldest one is given up.
    answers : int
        Answers that are kept for repeated idempotency keys.

    Raises
    ------
    ServingError
        If the key is too short to be a secret, or a limit is none.
    """

    api_key: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    read_only: bool = False
    rate: float = 100.0
    burst: float = 200.0
    body_bytes: int = 8 * 1024 * 1024
    body_seconds: float = 30.0
    threads: int = 4
    waiting: int = 256
    answers: int = 10_000

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        if self.api_key is not None and len(self.api_key) < SHORTEST_KEY:
            raise ServingError(
                f"the API key has {len(self.api_key)} characters; one of {SHORTEST_KEY} or more "
                "cannot be guessed"
            )
        if not self.rate >= 0 or not self.burst >= 1:
            raise ServingError(
                f"rate is {self.rate} and burst {self.burst}; they are at least 0 and 1"
            )
        if not self.body_seconds > 0:
            raise ServingError(f"body_seconds is {self.body_seconds}; it must be above 0")
        for name in ("body_bytes", "threads", "waiting", "answers"):
            if getattr(self, name) < 1:
                raise ServingError(f"{name} is {getattr(self, name)}; it must be 1 or more")
