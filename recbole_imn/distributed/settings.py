"""Settings of a run of several processes, while its Config is made."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from recbole.config import configurator
from torch import distributed

from recbole_imn.distributed.ending import watch
from recbole_imn.errors import SettingsError
from recbole_imn.processes.group import group, join, use_device

# Of RecBole's own way to start processes.
RECBOLES_OWN = ("nproc", "world_size", "local_rank", "group_offset", "offset")
# Settings that several processes would not share, and why.
CANNOT_BE_SHARED = {
    "online_updates": "weights that move during an evaluation would have seen a part of the rows",
    "save_dataloaders": "each process would write the same file",
}


def install() -> None:
    """Meet the other processes when a device is chosen (config/configurator.py:476)."""
    config_class = configurator.Config
    original: Callable[[Any], None] = config_class._init_device

    @wraps(original)
    def init_device(self: Any) -> None:
        join()
        if not group().is_several:
            original(self)
            return
        watch()
        settings = self.final_config_dict
        check(settings)
        if not group().writes:
            settings.update(show_progress=False, state="critical", log_wandb=False)
        wanted = settings.get("use_gpu", True)
        settings["gpu_id"] = own_gpu(settings.get("gpu_id", "")) if wanted else ""
        original(self)
        use_device(settings["device"])

    config_class._init_device = init_device


def check(settings: dict[str, Any]) -> None:
    """Refuse what several processes cannot share.

    Raises
    ------
    SettingsError
    """
    for key, reason in CANNOT_BE_SHARED.items():
        if settings.get(key):
            raise SettingsError(
                f"{key} is {settings[key]!r}, which {group().size} processes cannot share: "
                f"{reason}; leave it out, or use one process"
            )
    for key in RECBOLES_OWN:
        if settings.get(key) is not None:
            raise SettingsError(
                f"{key} is {settings[key]!r}, but torchrun has started {group().size} processes "
                "already; leave it out"
            )


def own_gpu(given: object) -> str:
    """Give the GPU of this process among those that are given, as RecBole names it.

    Raises
    ------
    SettingsError
        If there are fewer GPUs than processes on this machine.
    """
    named = ",".join(map(str, given)) if isinstance(given, list | tuple) else str(given)
    there = torch.cuda.device_count() if distributed.is_nccl_available() else 0
    chosen = [number for number in named.split(",") if number.strip()]
    if not there or not chosen:
        return named
    number = int(os.environ.get("LOCAL_RANK", "0"))
    n_local = int(os.environ.get("LOCAL_WORLD_SIZE", group().size))
    if len(chosen) < n_local:
        # By default one is named, whatever there are.
        chosen = [str(gpu) for gpu in range(there)] if len(chosen) == 1 else chosen
    if len(chosen) < n_local:
        raise SettingsError(
            f"{n_local} processes of this machine have {len(chosen)} GPUs ({', '.join(chosen)}); "
            "start as many as there are GPUs, or leave them out with --gpu_id="
        )
    return chosen[number]
