"""Rows of a training window in parts, one a process: what they share, and when it is worth it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from recbole_imn.model.terms.base import ProductTerm
from recbole_imn.processes import goes_in_step, group

# Where a process would have fewer rows, each process has all of them.
FEWEST_ROWS_EACH = 16
# With less to do for a window, exchanging gradients takes longer than what is shared: measured,
# see docs/more_processes.md. Rows of a window whose candidates are looked up, and weighed;
FEWEST_ROWS = 192
# and rows times negatives of any other.
FEWEST_PAIRS = 1 << 18


@dataclass(frozen=True)
class Read:
    """What a window's rows take from tables of ids, read by each process for all rows.

    Attributes
    ----------
    users : float [n_users, d]
        Static embeddings of the window's users.
    attended : float [n_distinct, d] or None
        Those of the items that rows attend to.
    own : dict of ProductTerm to float [n_rows of all processes, width]
        What terms read for rows; empty where no rows are shared.
    """

    users: Tensor
    attended: Tensor | None
    own: Mapping[ProductTerm, Tensor]

    def tensors(self) -> list[Tensor]:
        """Give all that was read."""
        attended = [] if self.attended is None else [self.attended]
        return [self.users, *attended, *self.own.values()]

    def of(self, tensors: Sequence[Tensor]) -> Read:
        """Give the same with other tensors, in the order of :meth:`tensors`."""
        users, *others = tensors
        attended = None if self.attended is None else others.pop(0)
        return Read(users, attended, dict(zip(self.own, others, strict=True)))

    def own_of(self, rows: slice) -> dict[ProductTerm, Tensor]:
        """Give what terms read for some rows."""
        return {term: values[rows] for term, values in self.own.items()}


def shares_rows(n: int, n_negatives: int, has_sources: bool) -> bool:
    """Whether several processes have a part each of a window's rows.

    Parameters
    ----------
    n, n_negatives : int
        Rows of all processes, and what each of them is compared with.
    has_sources : bool
        Whether candidates of the past are looked up for each row, and weighed.
    """
    if not goes_in_step() or n < group().size * FEWEST_ROWS_EACH:
        return False
    return n >= FEWEST_ROWS if has_sources else n * n_negatives >= FEWEST_PAIRS


def can_be_split(term: ProductTerm) -> bool:
    """Whether what a term reads of tables with sparse gradients can be read for all rows."""
    return type(term).read is not ProductTerm.read or not sparse_tables(term)


def sparse_tables(module: nn.Module) -> list[nn.Embedding]:
    """Give the tables of ids in a module whose gradients are sparse."""
    embeddings = (part for part in module.modules() if isinstance(part, nn.Embedding))
    return [table for table in embeddings if table.sparse]
