"""The figures of the paper's Tables 2 to 4, and which of its logs a data set is."""

from __future__ import annotations

import re
from dataclasses import dataclass

SOURCE = (
    "Q. Wu, T. Zhang, Z. Cui and J. Yang, Interest-Behaviour Multiplicative Network for "
    "Resource-limited Recommendation, arXiv 2009.13249"
)
CZB, TMALL = "CZB", "Tmall"
METRICS = ("recall@10", "ndcg@10", "recall@20", "ndcg@20")


@dataclass(frozen=True)
class LogFigures:
    """A log of the paper as its Table 2 has it.

    Attributes
    ----------
    title : str
    users, items, actions : int
    actions_a_user, actions_an_item : int
        As printed; they are not the quotients of the other columns.
    span : str
    purchases : float
        Share of the actions.
    price : str
        Of an item.
    """

    title: str
    users: int
    items: int
    actions: int
    actions_a_user: int
    actions_an_item: int
    span: str
    purchases: float
    price: str


TABLE_2 = {
    CZB: LogFigures(
        "CheZhiBao 2019", 10_718, 40_820, 647_664, 378, 13,
        "2019.5 to 2019.10", 0.0242, "150,000 CNY",
    ),
    TMALL: LogFigures(
        "Tmall/Koubei 2016", 1_160_135, 2_353_208, 44_528_128, 46, 19,
        "2015.7 to 2015.11", 0.245, "1,000 CNY",
    ),
}  # fmt: skip
# Future interactions; rows are METRICS.
TABLE_3_SYSTEMS = (
    "FPMC", "SASRec", "GRU4Rec", "NextItNet", "JODIE", "IMN_MSE", "IMNNet", "IMN_NCE"
)  # fmt: skip
TABLE_3 = {
    CZB: (
        (0.0554, 0.0414, 0.0320, 0.0228, 0.0659, 0.0642, 0.0856, 0.0480),
        (0.0274, 0.0264, 0.0159, 0.0112, 0.0527, 0.0518, 0.0660, 0.0355),
        (0.0933, 0.0640, 0.0589, 0.0413, 0.0933, 0.0950, 0.1281, 0.0783),
        (0.0432, 0.0292, 0.0226, 0.0158, 0.0627, 0.0630, 0.0815, 0.0463),
    ),
    TMALL: (
        (0.4012, 0.5108, 0.3211, 0.3917, 0.4014, 0.4107, 0.4296, 0.3429),
        (0.3089, 0.4862, 0.2484, 0.3305, 0.5089, 0.5169, 0.5393, 0.3939),
        (0.4503, 0.5256, 0.3675, 0.4256, 0.4148, 0.4247, 0.4562, 0.3822),
        (0.3213, 0.4900, 0.2600, 0.3391, 0.5138, 0.5221, 0.5490, 0.4092),
    ),
}
# What the parts bring; rows are METRICS.
TABLE_4_SYSTEMS = ("JODIE", "IMNNet", "IMNNetStar")
TABLE_4 = {
    CZB: (
        (0.0659, 0.0856, 0.0810),
        (0.0527, 0.0660, 0.0618),
        (0.0933, 0.1281, 0.1227),
        (0.0627, 0.0815, 0.0769),
    ),
    TMALL: (
        (0.4014, 0.4296, 0.4254),
        (0.5089, 0.5393, 0.5364),
        (0.4148, 0.4562, 0.4530),
        (0.5138, 0.5490, 0.5464),
    ),
}
SYSTEMS = (*TABLE_3_SYSTEMS, "IMNNetStar")
# First words of names that the logs go by.
_NAMES = {"czb": CZB, "chezhibao": CZB, "tmall": TMALL, "koubei": TMALL}


def published(log: str, system: str, metric: str) -> float | None:
    """Give a figure of Table 3, or of Table 4 for what stands there alone.

    Parameters
    ----------
    log : str
        ``CZB`` or ``Tmall``.
    system : str
        A model of ours or of RecBole by its name; None is given for those of no table.
    metric : str
        One of ``METRICS``.
    """
    for table, systems in ((TABLE_3, TABLE_3_SYSTEMS), (TABLE_4, TABLE_4_SYSTEMS)):
        if system in systems:
            return table[log][METRICS.index(metric)][systems.index(system)]
    return None


def log_of(dataset: str, simulated: bool) -> str | None:
    """Give the log of the paper that a data set is, or is made after; None for any other.

    Parameters
    ----------
    dataset : str
        A name such as ``czb-mini``, ``tmall`` or ``Koubei_2016``: its first word counts.
    simulated : bool
        Whether it is a simulated market: those are made after CheZhiBao, whatever their name.
    """
    return CZB if simulated else _NAMES.get(re.split(r"[^a-z]+", dataset.lower())[0])
