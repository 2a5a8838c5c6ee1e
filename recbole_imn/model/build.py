"""Making a network of parts that settings name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recbole_imn.errors import SettingsError
from recbole_imn.model.attention import Attention
from recbole_imn.model.branch import BRANCHES, Branch
from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.contexts import ContextMaps
from recbole_imn.model.fusion import FUSIONS, Fusion, InterestAlone
from recbole_imn.model.losses import make_losses
from recbole_imn.model.negatives import sampler
from recbole_imn.model.network import Network
from recbole_imn.model.parts import Making, find_part
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import SOURCES, Pointer, Source
from recbole_imn.model.states import GeneralStates
from recbole_imn.model.statics import Statics, StaticTable
from recbole_imn.model.terms import (
    TERMS,
    CellTerm,
    ProductTerm,
    Term,
)


@dataclass(frozen=True)
class Parts:
    """Classes that settings name.

    Attributes
    ----------
    branch : type or None
    fusion : type
    terms : dict of str to type
        By the names that settings give them.
    sources : dict of str to type
    """

    branch: type[Branch] | None
    fusion: type[Fusion]
    terms: dict[str, type[Term]]
    sources: dict[str, type[Source]]


def find_parts(settings: NetworkSettings) -> Parts:
    """Find the classes that settings name, those of one's own included.

    Raises
    ------
    SettingsError
        If there is none of a name, or it is of another kind.
    """
    branch = None
    if settings.resource_branch != "none":
        branch = find_part("resource_branch", settings.resource_branch, BRANCHES, Branch, ["none"])
    parts = Parts(
        branch,
        find_part("fusion", settings.fusion, FUSIONS, Fusion),
        {name: find_part("terms", name, TERMS, Term) for name in settings.terms},
        {name: find_part("sources", name, SOURCES, Source) for name in settings.sources},
    )
    by_cells = [name for name, kind in parts.terms.items() if issubclass(kind, CellTerm)]
    if len(by_cells) > 1:
        raise SettingsError(
            f"terms names {' and '.join(by_cells)}, which are both a CellTerm; there can be one"
        )
    return parts


def build_network(making: Making) -> Network:
    """Make a network, new or to be filled from a checkpoint.

    Parameters
    ----------
    making : Making

    Raises
    ------
    SettingsError
        If settings name a part that does not exist, or that the log has nothing for.
    """
    settings, width = making.settings, making.width
    centre, unit = _geometry(settings)
    parts = find_parts(settings)
    fusion = InterestAlone if parts.branch is None else parts.fusion
    n_parts, start = 3 + fusion.n_parts, settings.context_start
    # In this order, since each part draws its first weights from one generator.
    statics = _make_statics(making)
    states = GeneralStates(making)
    learned = settings.mse_weight > 0, settings.nce_weight > 0
    maps = ContextMaps(
        n_parts,
        width,
        start,
        settings.temperature,
        learned,
        settings.shared_map,
        settings.prediction_target,
        settings.biases,
        settings.learned_temperature,
    )
    branch = None if parts.branch is None else parts.branch(making)
    fused = fusion(width, centre, unit)
    pointer = _make_pointer(making, parts.sources, n_parts * width)
    products, cell_term = _make_terms(making, parts.terms)
    return Network(
        settings,
        states,
        statics,
        branch,
        fused,
        Conditioning(width, centre, unit),
        maps,
        products,
        cell_term,
        pointer,
        Attention(making) if settings.attended_events else None,
        make_losses(settings),
        sampler(settings),
    )


def _make_statics(making: Making) -> Statics:
    settings, log = making.settings, making.past.log
    unit, learned = settings.static_geometry == "unit", settings.unseen_ids == "learned"
    trained = [column[: making.n_training] for column in (log.user, log.item)]
    n_users, n_items = (int(column.max()) + 1 if learned else None for column in trained)
    features = making.item_features if settings.static_features else None
    return Statics(
        StaticTable(log.n_users, making.width, unit, None, n_users, settings.id_dropout),
        StaticTable(log.n_items, making.width, unit, features, n_items, settings.id_dropout),
    )


def _geometry(settings: NetworkSettings) -> tuple[float, bool]:
    """Give where the centre of states lies, and whether they are compared at unit length."""
    return 0.5 if settings.cell == "sigmoid" else 0.0, settings.conditioning == "unit"


def _make_pointer(
    making: Making, kinds: Mapping[str, type[Source]], context_width: int
) -> Pointer | None:
    sources = {name: kind(making) for name, kind in kinds.items() if kind.applies(making)}
    if kinds and not sources:
        raise SettingsError(
            f"sources names {', '.join(kinds)} alone, which has no candidates for any row of this "
            f"run (first_events is {making.settings.first_events}); name others, too"
        )
    return Pointer(making, sources, context_width) if sources else None


def _make_terms(
    making: Making, kinds: Mapping[str, type[Term]]
) -> tuple[dict[str, ProductTerm], CellTerm | None]:
    products: dict[str, ProductTerm] = {}
    cell_term = None
    for name, kind in kinds.items():
        term = kind(making) if kind.applies(making) else None
        if isinstance(term, CellTerm):
            cell_term = term
        elif isinstance(term, ProductTerm):
            # A module's name has no dots.
            products[name.replace(".", "_")] = term
    return products, cell_term
