"""A window after the recursions."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from recbole_imn.model.window import Window


@dataclass(frozen=True)
class Unrolled:
    """States of a window.

    Attributes
    ----------
    window : Window
    states : float [n_buffer_rows, n_parts * d]
        The state buffer of the plan.
    limited : float [n_users + n_purchases, n_parts * d] or None
        The buffer of the limited states; None without a branch.
    general : float [n_purchases, n_general * d] or None
        What entered the purchases of the general states.
    """

    window: Window
    states: Tensor
    limited: Tensor | None
    general: Tensor | None
