"""Everything of RecBole that several processes change; one process alone runs as before."""

from __future__ import annotations

from recbole_imn.distributed import evaluation, settings, training, writing


def install() -> None:
    """Let runs that torchrun has started share their work; safe to call once."""
    settings.install()
    writing.install()
    training.install()
    evaluation.install()
