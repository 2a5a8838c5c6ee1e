"""What RecBole's sequential models can be trained with: losses, negatives, changed sequences.

Their property files name settings for all of them alike; what a model makes of one stands in its
code. Where that is nothing, a traceback or the end of the program, it is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole.utils import InputType

from recbole_imn import own_models
from recbole_imn.errors import SettingsError
from recbole_imn.run_settings import RunSettings
from recbole_imn.settings_files import own_keys
from recbole_imn.validation import shown

OLD_NEGATIVES = ("neg_sampling", "training_neg_sample_num")
USUAL_LOSSES = ("CE", "BPR")
ANY_LOSS = (*USUAL_LOSSES, "NLL")
# Those that refuse to score single items, and the items that they rank anew: 100, or 500,100,20.
RANK_ALL_ALONE = ("SASRecCPR", "GRU4RecCPR")
PARTITIONS = "reranker_CAN_NUM"
# Models with others; RepeatNet reads none, and has the loss CE.
LOSSES = {
    "FPMC": ("BPR",),
    "SINE": ANY_LOSS,
    **dict.fromkeys(("CORE", "RepeatNet", *RANK_ALL_ALONE), ("CE",)),
}
# Those that tell items of users from negative ones, and whose scores are probabilities.
FROM_LABELS = ("DIN", "DIEN")
# The changed sequence that a model learns from; all others look at none.
CHANGED = {"BERT4Rec": "mask_itemseq", "SHAN": "inverse_itemseq"}
TRANSFORM_NEEDS = {
    "mask_itemseq": "mask_ratio", "crop_itemseq": "eta", "reorder_itemseq": "beta",
}  # fmt: skip
STAGES = ("pretrain", "finetune")


def reads_loss_type(model: str, model_class: type) -> bool:
    """Whether a model's loss, and with it the rows of a batch, is what ``loss_type`` says."""
    return not hasattr(model_class, "input_type") or "loss_type" in own_keys(model)


def check_training(config: Any, run: RunSettings, settings: dict[str, Any]) -> None:
    """Refuse settings that a sequential model of RecBole cannot be trained with.

    Parameters
    ----------
    config : recbole.config.Config
        While it is being made.
    run : RunSettings
    settings : dict
        All of them.

    Raises
    ------
    SettingsError
    """
    model = config.model
    is_recboles = config.model_class.__module__.partition(".")[0] == "recbole"
    for key in OLD_NEGATIVES:
        if settings.get(key) is not None:
            raise SettingsError(f"{key} is ignored by RecBole 1.2.1; use train_neg_sample_args")
    _check_loss(model, config.model_class, settings.get("loss_type"), is_recboles)
    _check_negatives(model, config.model_class, run, settings)
    _check_transform(model, run, settings, is_recboles)
    if model in RANK_ALL_ALONE:
        _check_partitions(model, settings)
    if "S3Rec" in own_models.lineage(model) and settings.get("train_stage") not in STAGES:
        raise SettingsError(
            f"train_stage is {shown(settings.get('train_stage'))}; it must be pretrain or finetune"
        )


def _check_loss(model: str, model_class: type, loss: object, is_recboles: bool) -> None:
    losses = LOSSES.get(model, USUAL_LOSSES)
    if is_recboles and not reads_loss_type(model, model_class):
        # Settings for several models may name a loss for the others.
        if loss not in (None, *ANY_LOSS):
            raise SettingsError(f"loss_type is {shown(loss)}, but {model} reads none; leave it out")
    elif (is_recboles or not hasattr(model_class, "input_type")) and loss not in losses:
        raise SettingsError(
            f"loss_type is {shown(loss)}; it must be {' or '.join(losses)} for {model}"
        )


def _check_negatives(
    model: str, model_class: type, run: RunSettings, settings: Mapping[str, Any]
) -> None:
    """Refuse a loss and negatives that do not fit together."""
    negatives, given = run.train_neg_sample_args, settings.get("train_neg_sample_args")
    loss = settings.get("loss_type") if reads_loss_type(model, model_class) else None
    if loss == "CE" and negatives is not None:
        instead = ", or set loss_type: BPR" if "BPR" in LOSSES.get(model, USUAL_LOSSES) else ""
        raise SettingsError(
            f"train_neg_sample_args is {given!r}, but the loss CE is over the whole catalogue; "
            f"leave it out{instead}"
        )
    kind = getattr(model_class, "input_type", None)
    pairs = loss == "BPR" if loss else kind == InputType.PAIRWISE
    if negatives is None and (pairs or model in FROM_LABELS):
        raise SettingsError(
            f"train_neg_sample_args is None, but the loss of {model} compares each item "
            "with a negative one; leave it out"
        )
    if negatives is not None and negatives.dynamic and negatives.candidate_num < 1:
        raise SettingsError(
            "train_neg_sample_args has dynamic: True with candidate_num 0; it must be above 0"
        )


def _check_transform(
    model: str, run: RunSettings, settings: Mapping[str, Any], is_recboles: bool
) -> None:
    """Refuse changes of sequences that nothing reads or that lack something (data/transform.py)."""
    changed, transform = CHANGED.get(model), run.transform
    if transform == "user_defined":
        raise SettingsError("transform is 'user_defined', which RecBole 1.2.1 leaves empty")
    if is_recboles and transform != changed:
        why = (
            f"{model} learns from what {changed} makes"
            if changed
            else f"{model} reads no changed sequences"
        )
        raise SettingsError(f"transform is {transform!r}, but {why}; leave it out")
    needed = TRANSFORM_NEEDS.get(transform or "")
    share = settings.get(needed) if needed else 0.0
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise SettingsError(
            f"transform is {transform!r}, which needs {needed}, a share in 0..1; it is "
            f"{shown(share)}"
        )
    if transform == "mask_itemseq" and int(share * run.MAX_ITEM_LIST_LENGTH) < 1:
        raise SettingsError(
            f"mask_ratio is {share} and MAX_ITEM_LIST_LENGTH {run.MAX_ITEM_LIST_LENGTH}, so that "
            "no item of a history would ever be masked; their product must be 1 or more"
        )


def partition_sizes(value: object) -> list[int]:
    """Give the numbers of items that are ranked anew; none where they are no such numbers."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    sizes = [int(part) for part in map(str, parts) if part.strip().isdecimal()]
    return sizes if len(sizes) == len(parts) and min(sizes, default=0) > 0 else []


def _check_partitions(model: str, settings: dict[str, Any]) -> None:
    """Refuse parts of the outputs that do not add up, which RecBole asserts without a word."""
    sizes = partition_sizes(settings[PARTITIONS])
    if not sizes:
        raise SettingsError(
            f"{PARTITIONS} of {model} is {shown(settings[PARTITIONS])}; it must be a whole number "
            "above 0, such as 100, or several with commas between"
        )
    # RecBole reads text; the command line makes a list of it.
    settings[PARTITIONS] = ",".join(map(str, sizes)) if len(sizes) > 1 else sizes[0]
    found = sum(settings[key] for key in ("n_facet", "n_facet_context", "n_facet_emb"))
    found += settings["n_facet_reranker"] * len(sizes)
    if settings["n_facet_all"] != found:
        raise SettingsError(
            f"n_facet_all of {model} is {settings['n_facet_all']}; it must be {found}: n_facet + "
            f"n_facet_context + n_facet_emb + n_facet_reranker times the numbers of {PARTITIONS}"
        )
