"""Making a network of parts that settings name."""

from __future__ import annotations

from recbole_imn.model.branch import BRANCHES, Branch
from recbole_imn.model.fusion import FUSIONS, Fusion, InterestAlone
from recbole_imn.model.layers import Conditioning, ContextMaps, Statics, StaticTable
from recbole_imn.model.losses import make_losses
from recbole_imn.model.negatives import sampler
from recbole_imn.model.network import Network
from recbole_imn.model.parts import Making, find_part
from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.model.sources import SOURCES, Pointer, Source
from recbole_imn.model.states import GeneralStates
from recbole_imn.model.terms import TERMS, CellTerm, ProductTerm


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
    branched = settings.resource_branch != "none"
    fusion = find_part("fusion", settings.fusion, FUSIONS, Fusion) if branched else InterestAlone
    n_parts, start = 3 + fusion.n_parts, settings.context_start
    # In this order, since each part draws its first weights from one generator.
    statics = _make_statics(making)
    states = GeneralStates(making)
    maps = ContextMaps(n_parts, width, start, settings.temperature)
    branch = _make_branch(making)
    fused = fusion(width, centre, unit)
    pointer = _make_pointer(making, n_parts * width)
    products, cell_term = _make_terms(making)
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


def _make_branch(making: Making) -> Branch | None:
    name = making.settings.resource_branch
    return None if name == "none" else find_part("resource_branch", name, BRANCHES, Branch)(making)


def _make_pointer(making: Making, context_width: int) -> Pointer | None:
    names = making.settings.sources
    if not names:
        return None
    sources = [find_part("sources", name, SOURCES, Source)(making) for name in names]
    return Pointer(making, sources, context_width)


def _make_terms(making: Making) -> tuple[dict[str, ProductTerm], CellTerm | None]:
    products: dict[str, ProductTerm] = {}
    cell_terms: list[CellTerm] = []
    for name in making.settings.terms:
        kind = find_part("terms", name, TERMS, ProductTerm, CellTerm)
        if not kind.applies(making):
            continue
        term = kind(making)
        if isinstance(term, CellTerm):
            cell_terms.append(term)
        else:
            # A module's name has no dots.
            products[name.replace(".", "_")] = term
    if len(cell_terms) > 1:
        raise SettingsError("terms names more than one term by cells; there can be one")
    return products, cell_terms[0] if cell_terms else None
