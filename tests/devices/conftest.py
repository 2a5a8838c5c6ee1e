"""Runs on a device that is not the processor."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from recbole.config import Config

from tests.devices.elsewhere import elsewhere


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every Config name the other device."""
    original = Config._init_device

    def init_device(self: Config) -> None:
        original(self)
        self.final_config_dict["device"] = device

    def autocast(device_type: str, **settings: Any) -> torch.autocast:
        return mixed("cpu" if device_type == device.type else device_type, **settings)

    mixed = torch.autocast
    monkeypatch.setattr(torch, "autocast", autocast)
    monkeypatch.setattr(Config, "_init_device", init_device)
    with elsewhere() as device:
        yield
