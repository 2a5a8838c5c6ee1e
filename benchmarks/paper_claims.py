"""What the paper claims of its settings, each checked on the same rows.

    python benchmarks/paper_claims.py retailrocket=DIR czb=atomic_files --seeds=3 --epochs=8

Each argument is a data set and its parent folder. Every variant is trained with the same seeds
and epochs and ranked on the same test rows. Finished runs are kept in --out, and the same command
goes on where it was stopped; a page a data set is written beside that folder.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from recbole_imn.files import replace_text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.resumable import conducted
from benchmarks.variants import (
    Data,
    Results,
    Variant,
    arguments,
    costs,
    difference,
    finish,
    finished,
    metrics_of,
    slices,
    told_of,
    versions,
)

# N - 1 of equation (19), beside 127, which the paper found best.
NEGATIVES = (31, 63, 255, 319)
NO_DRIFT = {"item_drift_weight": 0.0, "user_drift_weight": 0.0}
DRIFT = {"item_drift_weight": 1.0, "user_drift_weight": 1.0}


def _name(model: str, switches: dict) -> str:
    """A model and its switches, as whoever writes tables of systems names them."""
    parts = (f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
             for key, value in sorted(switches.items()))  # fmt: skip
    return " ".join([model, *parts])


SWITCHED: tuple[Variant, ...] = (
    ("IMNNet", {}),
    ("IMNNet", {"negatives": "in_batch"}),
    ("IMNNet", {"negatives": "row"}),
    *(("IMNNet", {"n_negatives": n}) for n in NEGATIVES),
    ("IMNNet", {"fusion": "concat"}),
    ("IMNNet", {"fusion": "product"}),
    ("IMNNet", DRIFT),
    ("IMNNet", {"cell": "self_attention"}),
    ("IMNNetStar", {}),
    ("IMNNetLiteral", {}),
    ("IMNNetLiteral", NO_DRIFT),
    ("IMNNetLiteral", {"cell": "self_attention"}),
)
VARIANTS = {_name(*variant): variant for variant in SWITCHED}


@dataclass(frozen=True)
class Claim:
    """One variant that should be ahead of others.

    Attributes
    ----------
    text : str
    ahead : str
    behind : tuple of str
    needs_purchases : bool
        Whether a log without any says nothing of it.
    """

    text: str
    ahead: str
    behind: tuple[str, ...]
    needs_purchases: bool = False


CLAIMS = (
    Claim("negatives from the batch are poorer", "IMNNet", ("IMNNet negatives=in_batch",)),
    Claim("N = 128 is best", "IMNNet", tuple(f"IMNNet n_negatives={n}" for n in NEGATIVES)),
    Claim("a sum fuses best", "IMNNet", ("IMNNet fusion=concat", "IMNNet fusion=product"), True),
    Claim("the branch helps", "IMNNet", ("IMNNetStar",), True),
    Claim("without drift it falls a lot", _name("IMNNet", DRIFT), ("IMNNet",)),
    Claim(
        "without drift it falls a lot, literal form",
        "IMNNetLiteral",
        (_name("IMNNetLiteral", NO_DRIFT),),
    ),
    Claim("a recurrent cell is best", "IMNNet", ("IMNNet cell=self_attention",)),
    Claim(
        "a recurrent cell is best, literal form",
        "IMNNetLiteral",
        ("IMNNetLiteral cell=self_attention",),
    ),
    Claim(
        "not the paper's: negatives for each event, as it draws them, are better",
        "IMNNet negatives=row",
        ("IMNNet",),
    ),
)


def main() -> int:
    return conducted(work, parse())


def work(options: argparse.Namespace) -> None:
    """Finish all runs, and write the page of each data set as soon as it is done."""
    chosen = {name: variant for name, variant in VARIANTS.items() if name in options.variants}
    for data in options.data:
        results = finished(options, data, finish(options, data, chosen))
        text = page(options, data, results)
        replace_text(options.out.with_name(f"{options.out.name}_{data.name}.md"), text)
        print(text)


def parse() -> argparse.Namespace:
    parser = arguments(__doc__.splitlines()[0], Path("results/paper_claims"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    return parser.parse_args()


def page(options: argparse.Namespace, data: Data, results: Results) -> str:
    """The page of a data set from its finished runs."""
    lines = [f"# What the paper claims of its settings, on {data.name}", ""]
    if not results:
        return "\n".join([*lines, "No variant is finished.", ""])
    lines += [told_of(data, results), "", about(options), "", *claims_table(results)]
    return "\n".join([*lines, "", *variants_table(results), ""])


def about(options: argparse.Namespace) -> str:
    return (
        f"Seeds 1 to {options.seeds}, {options.epochs} epochs at most, the best one on validation; "
        "settings as they come but for those in a variant's name. Differences in NDCG@10 are "
        "paired row by row, averaged over seeds, with a 95% interval by resampling users: a claim "
        "holds where the whole interval is above 0, does not where it is below, and is open "
        "between. Several claims are looked at, and intervals are not widened for it. Costs are "
        "as in training and test beside whatever else the machine did.\n\n"
        f"{versions()}."
    )


def claims_table(results: Results) -> list[str]:
    lines = [
        "| claim | ahead | behind | NDCG@10, ahead minus behind | |",
        "|---|---|---|---|---|",
    ]
    bought = knows_purchases(results)
    return lines + list(chain.from_iterable(claim_rows(claim, results, bought) for claim in CLAIMS))


def claim_rows(claim: Claim, results: Results, bought: bool) -> list[str]:
    """A row for each pair of which both are finished."""
    rows = []
    for behind in claim.behind:
        if claim.ahead not in results or behind not in results:
            continue
        figure = difference(results[claim.ahead], results[behind])
        testable = bought or not claim.needs_purchases
        verdict = judge(figure.low, figure.high) if testable else "not testable: no purchases"
        rows.append(f"| {claim.text} | {claim.ahead} | {behind} | {figure} | {verdict} |")
    return rows


def judge(low: float, high: float) -> str:
    """Say what an interval says of a claim that a difference is above 0."""
    if low > 0:
        return "holds"
    return "does not hold" if high < 0 else "open"


def knows_purchases(results: Results) -> bool:
    """Whether some test row is one of a user who has purchased."""
    found = slices(next(iter(results.values()))[0])
    return any(
        one["rows"] > 0
        for one in found
        if one["grouping"] == "user's last purchase" and one["slice"] != "none"
    )


def variants_table(results: Results) -> list[str]:
    lines = [
        "| variant | Recall@10 | NDCG@10 | training, events/s | test, rows/s |",
        "|---|---|---|---|---|",
    ]
    for name, runs in results.items():
        cells = metrics_of(runs, "recall@10", "ndcg@10") + costs(VARIANTS[name][0], runs)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
