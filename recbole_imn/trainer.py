"""Training of models that play the event stream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.trainer import Trainer
from torch import Tensor, nn

from recbole_imn.bars import bar
from recbole_imn.distributed.evaluation import chosen_batches
from recbole_imn.errors import RecBoleImnError, SettingsError
from recbole_imn.log import Integers
from recbole_imn.model.calibration.rows import RowCollector
from recbole_imn.model.calibration.search import search_proportions
from recbole_imn.model.imnnet import IMNNet
from recbole_imn.model.joint_ranking import WeightSearch
from recbole_imn.model.rows import event_indices
from recbole_imn.optimizers import SparseAndDense, id_tables, sparse_and_dense
from recbole_imn.processes import group, join_numbered
from recbole_imn.processes.common import Place, own_place
from recbole_imn.rank_metrics import rank_metric, searched_metric
from recbole_imn.serving.taking import add_snapshot, can_be_used

# Validation rows that a search looks at, about: there is little that it chooses.
SEARCHED_ROWS = 5_000


@dataclass(frozen=True)
class Scored:
    """A batch as RecBole's evaluator would rank it.

    Attributes
    ----------
    scores : float [n, n_items]
        Minus infinity for what is no candidate of the evaluation.
    targets : int64 [n]
        The rows' items.
    events : int64 [n]
        Positions of the rows in the log.
    """

    scores: Tensor
    targets: Tensor
    events: Integers


class IMNNetTrainer(Trainer):  # type: ignore[misc]  # RecBole is untyped
    """RecBole's trainer with a lazy optimiser for id tables, and searches before a validation.

    The tables of static embeddings get sparse gradients and ``table_learner`` with the step size
    ``table_learning_rate``, so that a step costs nothing for ids outside its window. All
    other parameters use the configured ``learner``, those of a pointer with the step size
    ``pointer_learning_rate``. Each validation first searches for the weights of the joint
    ranking (``search_ranking_weights``), or for the proportions of candidates and catalogue
    (``calibrate``), and sets them on the model.

    Raises
    ------
    SettingsError
        If mixed precision is asked for: states would lose what the recursion adds up. If
        sparse gradients are to be clipped. If the search cannot use the validation metric.
    """

    def __init__(self, config: Any, model: nn.Module) -> None:
        if config["enable_amp"]:
            raise SettingsError(f"enable_amp is True, but {config['model']} needs full precision")
        if config["clip_grad_norm"] and id_tables(model):
            raise SettingsError(
                f"clip_grad_norm is {config['clip_grad_norm']}, but {config['model']} has tables "
                "of ids with sparse gradients, which torch cannot clip"
            )
        super().__init__(config, model)
        self.searches_ranking = (
            isinstance(model, IMNNet) and model.network.settings.searches_ranking
        )
        self.calibrates = isinstance(model, IMNNet) and model.network.settings.calibrate
        # Refused before anything is trained.
        if self.searches_ranking:
            searched_metric(config["valid_metric"], "search_ranking_weights")
        if self.calibrates:
            searched_metric(config["valid_metric"], "calibrate")

    def evaluate(
        self,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: str | Path | None = None,
        show_progress: bool = False,
    ) -> Any:
        """Test the best epoch, and make its checkpoint one that can be used without its data."""
        result = super().evaluate(eval_data, load_best_model, model_file, show_progress)
        asked = eval_data and load_best_model and self.config["snapshot"]
        if asked and group().writes and can_be_used(self.model):
            file = Path(model_file or self.saved_model_file)
            try:
                add_snapshot(file, self.model, eval_data._dataset)
            except (RecBoleImnError, OSError) as error:
                # Figures that took days are worth more than what can be added later.
                self.logger.warning(
                    f"{file} has weights, but nothing to be used without its data: {error}; when "
                    f"that is mended: python -m recbole_imn snapshot {file}"
                )
        return result

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> Any:
        if self.searches_ranking:
            self._search_ranking_weights(valid_data, show_progress)
        if self.calibrates:
            self._calibrate(valid_data, show_progress)
        return super()._valid_epoch(valid_data, show_progress)

    @torch.no_grad()
    def _search_ranking_weights(self, valid_data: Any, show_progress: bool) -> None:
        """Set the best weights of the joint ranking on evenly spaced validation batches."""
        self.model.eval()
        network = self.model.network
        search = WeightSearch(
            self.config["valid_metric"], network.settings.ranking_scale == "standard"
        )
        # Everybody looks at the first one, which sets the units of the weights.
        numbers = []
        for number, batch in self._searched(valid_data, "Weights    ", show_progress, first=True):
            numbers.append(number)
            parts = []
            for weights in ((1.0, 0.0), (0.0, 1.0)):
                network.set_ranking(weights, (1.0, 1.0))
                parts.append(self._score(batch, valid_data))
            search.add(parts[0].scores, parts[1].scores, parts[0].targets)
        search.found = join_numbered(dict(zip(numbers, search.found, strict=True)))
        best = search.best()
        network.set_ranking((best.mse, best.nce), (best.mse_scale, best.nce_scale))
        self.logger.info(
            f"ranking weights: {best.mse:.2f} prediction / {best.mse_scale:.4g}, {best.nce:.2f} "
            f"density ratio / {best.nce_scale:.4g}, {self.config['valid_metric']} {best.score:.4f}"
        )

    @torch.no_grad()
    def _calibrate(self, valid_data: Any, show_progress: bool) -> None:
        """Set the best proportions of the mixture on evenly spaced validation batches."""
        self.model.eval()
        network, name = self.model.network, self.config["valid_metric"]
        metric, calibration = rank_metric(name), network.pointer.calibration
        collector, numbers = RowCollector(metric.top), []
        with network.candidates_apart(collector.hear):
            for number, batch in self._searched(valid_data, "Calibration", show_progress):
                scored = self._score(batch, valid_data)
                collector.add(scored.scores, scored.targets, scored.events)
                numbers.append(number)
        collector.batches = join_numbered(dict(zip(numbers, collector.batches, strict=True)))
        found = search_proportions(
            collector.rows(), calibration.slots, calibration.by_recency, metric
        )
        calibration.set(found.proportions)
        self.logger.info(found.told(network.pointer.names, name))

    def _searched(
        self, loader: Any, name: str, show_progress: bool, first: bool = False
    ) -> Iterator[tuple[int, Any]]:
        """Give the validation batches that a search looks at, evenly spaced, by their numbers.

        Of several processes each looks at its own ones, and at the first one where asked to.
        """
        stride = max(1, round(len(loader._dataset) / SEARCHED_ROWS))
        batches = chosen_batches(loader, range(0, len(loader), stride), first)
        return iter(bar(batches, desc=name, ncols=100, disable=not show_progress))

    def _score(self, batch: Any, loader: Any) -> Scored:
        """Score a batch with RecBole's own candidates and masks."""
        full = isinstance(loader, FullSortEvalDataLoader)
        score = self._full_sort_batch_eval if full else self._neg_sample_batch_eval
        self.tot_item_num = loader._dataset.item_num
        rows, scores, places, targets = score(batch)
        scores = scores if full else scores[places.to(scores.device)]
        # Rows come first, and sampled items after them.
        events = event_indices(rows)[: len(targets)]
        return Scored(scores, targets.to(scores.device), events)

    def _build_optimizer(self, **kwargs: Any) -> Any:
        build = super()._build_optimizer
        if not id_tables(self.model):
            return build(**kwargs)
        # A fused step raises no version that autograd counts, so the session is told.
        return sparse_and_dense(
            self.model,
            lambda weights: build(params=weights, **kwargs),
            self.config["table_learning_rate"] or self.learning_rate,
            self.model.session.weights_changed,
            self._average_horizon(),
            self.config["pointer_learning_rate"],
            self.config["table_learner"] or "adam",
            self._place_on_machine(),
        )

    def _place_on_machine(self) -> Place | None:
        """Give the place of this process if those of a machine are to have tables in common."""
        if not self.config["share_tables"] or not group().is_several:
            return None
        if self.device.type != "cpu":
            raise SettingsError(
                f"share_tables is True, but {self.config['model']} is on {self.device}, and "
                "processes have in common what lies in the machine's memory; leave it out"
            )
        return own_place()

    def _average_horizon(self) -> int:
        """Give the horizon of the running mean of weights, in steps; 0 for none."""
        share = self.config["average_share"] or 0.0
        n_steps = math.ceil(self.model.session.n_training / self.config["train_batch_size"])
        return max(2, round(share * n_steps)) if share else 0

    def _train_epoch(self, *arguments: Any, **named: Any) -> Any:
        """Train with the latest weights; between epochs the model has their running mean."""
        averages = isinstance(self.optimizer, SparseAndDense)
        if averages:
            self.optimizer.latest_weights()
        loss = super()._train_epoch(*arguments, **named)
        if averages:
            self.optimizer.average_weights()
        return loss
