"""The paper's claims, each as pairs of systems of which one should be ahead.

A claim is about its authors' logs; whether it holds on another one is what a report says. Systems
are named as in a benchmark: a model, or a model with some settings switched. Both sides of a claim
about a setting have it switched, since tuned settings may be any.
"""

from __future__ import annotations

from dataclasses import dataclass

from recbole_imn.paper.figures import CZB, METRICS, TABLE_3_SYSTEMS, TMALL

IN_BATCH = "IMNNet negatives=in_batch"
WITHOUT_BRANCH = "IMNNet resource_branch=none"
#: N of equation (19), one positive and N - 1 negatives: the 128 that the paper found best, others.
N_BEST, *N_BESIDE_BEST = (f"IMNNet n_negatives={n - 1}" for n in (128, 32, 64, 256, 320))
SUM, *OTHER_FUSIONS = (f"IMNNet fusion={fusion}" for fusion in ("sum", "concat", "product"))
# The paper gives no weights; its literal form has those that tuning found, above 0.
DRIFT, NO_DRIFT = (f"IMNNet item_drift_weight={w} user_drift_weight={w}" for w in (1, 0))
LITERAL_NO_DRIFT = "IMNNetLiteral item_drift_weight=0 user_drift_weight=0"
SELF_ATTENTION = "IMNNet cell=self_attention"
LITERAL_SELF_ATTENTION = "IMNNetLiteral cell=self_attention"
BASELINES = ("FPMC", "SASRec", "GRU4Rec", "NextItNet", "JODIE")
RECALLS, AT_10, AT_20 = ("recall@10", "recall@20"), METRICS[:2], METRICS[2:]
# Of claims for which the paper gives no figure: the metric that leads our tables.
LEADING = ("ndcg@10",)
CHOSEN = "taken from what the paper chose of the forms that it names"


@dataclass(frozen=True)
class Side:
    """A system's mean of a metric."""

    system: str
    metric: str


@dataclass(frozen=True)
class Pair:
    """Two figures of which one should be above the other."""

    ahead: Side
    behind: Side


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes
    ----------
    text : str
    logs : tuple of str
        Of the paper, ``CZB`` and ``Tmall``: where it says so.
    pairs : tuple of Pair
        It holds where each of them does.
    remark : str
        What else is to be known of it.
    needs_purchases : bool
        Whether it says nothing of a log that knows none.
    """

    text: str
    logs: tuple[str, ...]
    pairs: tuple[Pair, ...]
    remark: str = ""
    needs_purchases: bool = False

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that it is about, each once."""
        sides = (side for pair in self.pairs for side in (pair.ahead, pair.behind))
        return tuple(dict.fromkeys(side.system for side in sides))


def _above(ahead: str, *behind: str, metrics: tuple[str, ...] = METRICS) -> tuple[Pair, ...]:
    """Give the pairs of one system ahead of others in some metrics."""
    return tuple(
        Pair(Side(ahead, metric), Side(system, metric)) for system in behind for metric in metrics
    )


def _ndcg_above_recall(systems: tuple[str, ...]) -> tuple[Pair, ...]:
    return tuple(Pair(Side(system, "ndcg@10"), Side(system, "recall@10")) for system in systems)


CLAIMS = (
    Claim(
        "IMN-Net is above each of the paper's five baselines", (CZB,), _above("IMNNet", *BASELINES)
    ),
    Claim(
        "SASRec is ahead of IMN-Net in Recall",
        (TMALL,),
        _above("SASRec", "IMNNet", metrics=RECALLS),
    ),
    Claim(
        "IMN-Net is above IMN-Net*",
        (CZB, TMALL),
        _above("IMNNet", "IMNNetStar"),
        "each with its own settings: it does not tell what the resource-limited branch does",
        needs_purchases=True,
    ),
    Claim(
        "The resource-limited branch helps: the same settings without it",
        (),
        # By whatever fusion was tuned the interest is changed, too; the paper's is the sum.
        _above(SUM, WITHOUT_BRANCH),
        "the branch added to the interest",
        needs_purchases=True,
    ),
    Claim("IMN_NCE is below IMN_MSE", (CZB, TMALL), _above("IMN_MSE", "IMN_NCE")),
    Claim("IMN_MSE is above JODIE at 20", (CZB, TMALL), _above("IMN_MSE", "JODIE", metrics=AT_20)),
    Claim(
        "IMN_MSE is above JODIE at 10",
        (TMALL,),
        _above("IMN_MSE", "JODIE", metrics=AT_10),
        "on CZB its Table 3 has JODIE ahead at 10",
    ),
    Claim(
        "JODIE beats IMN-Net in Recall@10 and NDCG@10",
        (CZB,),
        _above("JODIE", "IMNNet", metrics=AT_10),
        "its text says so, and its own Table 3 denies it",
    ),
    Claim(
        "NDCG@10 is above Recall@10",
        (TMALL,),
        _ndcg_above_recall(tuple(name for name in TABLE_3_SYSTEMS[4:])),
        "impossible with one relevant item a row",
    ),
    Claim(
        "Negatives from the batch are poorer than from all items",
        (),
        _above("IMNNet", IN_BATCH, metrics=LEADING),
    ),
    Claim(
        "N = 128 is the best of 32, 64, 128, 256 and 320",
        (),
        _above(N_BEST, *N_BESIDE_BEST, metrics=LEADING),
    ),
    Claim(
        "Fusion by a sum is above concatenation and product",
        (),
        _above(SUM, *OTHER_FUSIONS, metrics=LEADING),
        CHOSEN,
        needs_purchases=True,
    ),
    Claim(
        "Without the drift terms of the loss it falls a lot",
        (),
        _above(DRIFT, NO_DRIFT, metrics=LEADING),
        "both weights 1",
    ),
    Claim(
        "Without the drift terms of the loss it falls a lot: literal form",
        (),
        _above("IMNNetLiteral", LITERAL_NO_DRIFT, metrics=LEADING),
        "with the weights of its settings, which may be small where they were tuned",
    ),
    Claim(
        "The recurrent cell is above one with self-attention",
        (),
        _above("IMNNet", SELF_ATTENTION, metrics=LEADING),
        CHOSEN,
    ),
    Claim(
        "The recurrent cell is above one with self-attention: literal form",
        (),
        _above("IMNNetLiteral", LITERAL_SELF_ATTENTION, metrics=LEADING),
        CHOSEN,
    ),
)


def systems_of_claims() -> list[str]:
    """Give every system that a claim is about, each once."""
    return list(dict.fromkeys(system for claim in CLAIMS for system in claim.systems))
