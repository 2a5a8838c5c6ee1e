"""Models that learn all there is in one go, or nothing: their trainer."""

from __future__ import annotations

from typing import Any

from torch import nn

from recbole_imn.model.rows import EVENT_INDEX
from recbole_imn.rank_metrics import searched_metric
from recbole_imn.trainer import IMNNetTrainer


class AtOnceTrainer(IMNNetTrainer):
    """Let a model learn before its only epoch, and choose what it has to before a validation.

    A second epoch would learn the same again, so that there is one, whatever ``epochs`` says.

    Parameters
    ----------
    config : recbole.config.Config
    model : RecentHistory
        Or a class derived from it; its ``learn`` and ``choose`` are called.
    """

    def __init__(self, config: Any, model: nn.Module) -> None:
        super().__init__(config, model)
        self.epochs = 1
        # RecBole has limited it by the epochs that were asked for.
        self.eval_step = min(int(config["eval_step"]), 1)
        # Refused before anything is learned.
        self._metric = searched_metric(config["valid_metric"]) if model.chooses else None

    def _train_epoch(self, *arguments: Any, **named: Any) -> Any:
        self.model.learn()
        return super()._train_epoch(*arguments, **named)

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> Any:
        if self._metric is not None:
            rows = valid_data._dataset.inter_feat[EVENT_INDEX].numpy()
            self.logger.info(self.model.choose(rows, self._metric))
        return super()._valid_epoch(valid_data, show_progress)
