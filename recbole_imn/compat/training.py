"""Mends of RecBole's trainers, layers, folders, logger and report of the machine."""

from __future__ import annotations

import math
import os
import sys
from functools import partial, wraps
from typing import Any

import psutil
import torch
from colorama.ansitowin32 import StreamWrapper
from texttable import Texttable

from recbole_imn.compat.views import recbole_module, replace, show


def gradient_scaler() -> bool:
    """Make the gradient scaler by its present name, without a warning an epoch."""
    scaler = partial(torch.amp.GradScaler, "cuda")
    show(("trainer.trainer",), "amp", GradScaler=scaler)
    return True


def use_gpu() -> bool:
    """Let ``use_gpu: False`` leave a run on the processor; no GPU is hidden from the process."""
    config_class = recbole_module("config.configurator").Config
    original = config_class._init_device

    @wraps(original)
    def init_device(self: Any) -> None:
        original(self)
        if self.final_config_dict.get("use_gpu") is False:
            self.final_config_dict["device"] = torch.device("cpu")

    config_class._init_device = init_device
    return True


def shared_folders() -> bool:
    """Let programs that start at the same time make the same folder."""
    original = recbole_module("utils.utils").ensure_dir

    @wraps(original)
    def ensure_dir(dir_path: str) -> None:
        if not os.path.exists(dir_path):
            os.makedirs(dir_path, exist_ok=True)

    replace(original, ensure_dir)
    return True


def number_features() -> bool:
    """Let feature-aware sequential models embed more than one number of an item."""
    layer = recbole_module("model.layers").ContextSeqEmbAbstractLayer
    original = layer.embed_float_fields

    @wraps(original)
    def embed_float_fields(self: Any, float_fields: Any, *args: Any, **kwargs: Any) -> Any:
        if float_fields is not None:
            # Fields come side by side, [..., 1, 2 n_fields], and are asked for one below the
            # other: a value and an index each.
            float_fields = float_fields.unflatten(-1, (-1, 2)).flatten(-3, -2)
        return original(self, float_fields, *args, **kwargs)

    layer.embed_float_fields = embed_float_fields
    return True


def colour_streams() -> bool:
    """Wrap standard output once, not again in every run: some 200 runs end in a RecursionError."""
    logger = recbole_module("utils.logger")
    original = logger.init

    @wraps(original)
    def init(**options: Any) -> None:
        if not all(isinstance(stream, StreamWrapper) for stream in (sys.stdout, sys.stderr)):
            original(**options)

    logger.init = init
    return True


def machine_report() -> bool:
    """Tell the load of the processor since the last report, which takes no time to measure.

    RecBole measures that of the second after a run, and waits for it to pass.
    """
    utils = recbole_module("utils.utils")

    @wraps(utils.get_environment)
    def get_environment(config: Any) -> Texttable:
        on_gpu = torch.cuda.is_available() and config["use_gpu"]
        used, total = psutil.Process().memory_info().rss, psutil.virtual_memory().total
        table = Texttable()
        table.set_cols_align(["l", "c"])
        table.set_cols_valign(["m", "m"])
        table.add_rows(
            [
                ["Environment", "Usage"],
                ["CPU", f"{psutil.cpu_percent():.2f} %"],
                ["GPU", utils.get_gpu_usage(config["device"]) if on_gpu else "0.0 / 0.0"],
                ["Memory", f"{used / 1024**3:.2f} G/{total / 1024**3:.2f} G"],
            ]
        )
        return table

    replace(utils.get_environment, get_environment)
    return True


def pretraining() -> bool:
    """Let pretraining keep its last epoch, and give loaders and metrics what training gives them.

    RecBole keeps every ``save_step``-th epoch alone, none at all of fewer.
    """
    trainer = recbole_module("trainer.trainer").PretrainTrainer
    original = trainer.pretrain

    @wraps(original)
    def pretrain(
        self: Any, train_data: Any, verbose: bool = True, show_progress: bool = False
    ) -> Any:
        self.eval_collector.data_collect(train_data)
        if self.config["train_neg_sample_args"].get("dynamic", False):
            train_data.get_model(self.model)
        result = original(self, train_data, verbose, show_progress)
        n_epochs = self.pretrain_epochs
        if n_epochs % self.save_step:
            name = f"{self.config['model']}-{self.config['dataset']}-{n_epochs}.pth"
            file = os.path.join(self.checkpoint_dir, name)
            self.save_pretrained_model(n_epochs - 1, file)
            if verbose:
                self.logger.info(f"Saving current: {file}")
        return result

    trainer.pretrain = pretrain
    return True


def operation_count() -> bool:
    """Let models train that rank the catalogue alone; their operations are not counted.

    RecBole counts those of ``predict``, in which some models of its own refuse to score items.
    """
    original = recbole_module("utils.utils").get_flops

    @wraps(original)
    def get_flops(model: Any, *args: Any, **kwargs: Any) -> float:
        try:
            operations: float = original(model, *args, **kwargs)
        except (AssertionError, NotImplementedError):
            return math.nan
        return operations

    replace(original, get_flops)
    return True
