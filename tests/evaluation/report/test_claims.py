"""Verdicts on the paper's claims, from runs with known ranks."""

import numpy as np
import pytest

from recbole_imn.evaluation.report.claims import claims_section, judge
from recbole_imn.evaluation.report.markdown import markdown_table
from recbole_imn.paper.claims import CLAIMS, Claim, Pair, Side
from tests.evaluation.report.conftest import N_ROWS, ranks

ABOVE = Claim(
    "one above two", ("CZB",), (Pair(Side("IMNNet", "ndcg@10"), Side("JODIE", "ndcg@10")),)
)


def claim(text):
    (found,) = [one for one in CLAIMS if text in one.text]
    return found


def row(board, text):
    (found,) = [line for line in claims_section(board).table.rows if text in line[0]]
    return found


def test_a_system_ahead_for_every_user_is_ahead(make_bench):
    board = make_bench().add("IMNNet", 1, 1).add("JODIE", 2, 2).board()
    verdict = judge(ABOVE, board)
    assert verdict.text == "holds"
    assert verdict.worst.figure.mean == pytest.approx(1 - 1 / np.log2(3))


def test_a_system_behind_for_every_user_is_the_opposite(make_bench):
    board = make_bench().add("IMNNet", 9).add("JODIE", 2).board()
    assert judge(ABOVE, board).text == "does not hold (the opposite is seen)"


@pytest.mark.parametrize("other", [ranks(2), ranks(1)])
def test_no_difference_is_no_claim_that_holds(make_bench, other):
    board = make_bench().add("IMNNet", ranks(1)).add("JODIE", other).board()
    verdict = judge(ABOVE, board)
    assert verdict.text == "does not hold (no difference is shown)"
    assert verdict.worst.figure.low <= 0 <= verdict.worst.figure.high


def test_seeds_are_averaged_in_the_paired_difference(make_bench):
    board = make_bench().add("IMNNet", 1, np.inf).add("JODIE", 1, 1).board()
    assert judge(ABOVE, board).worst.figure.mean == pytest.approx(-0.5)


def test_seeds_of_either_side_are_named(make_bench):
    bench = make_bench().add("IMNNet", 1, 1, 2).add("IMNNetStar", 40)
    assert row(bench.board(), "IMN-Net*")[4] == "3 and 1"


def test_a_seed_that_says_otherwise_is_doubt(make_bench):
    """Two of three seeds are far behind for every user, the third is ahead for every user."""
    board = make_bench().add("IMNNet", 9, 9, 1).add("JODIE", 2, 2, 2).board()
    verdict = judge(ABOVE, board)
    assert verdict.worst.figure.mean < 0 < verdict.worst.figure.high
    assert verdict.text == "does not hold (no difference is shown)"


def test_a_claim_of_systems_that_were_not_run_says_which(make_bench):
    board = make_bench().add("IMNNet", 1).board()
    assert judge(ABOVE, board).text == "not testable here (JODIE was not run)"
    star = judge(claim("IMN-Net*"), board).text
    assert star == "not testable here (IMN-Net* was not run)"
    every = judge(claim("five baselines"), board).text
    assert every == "not testable here (FPMC, SASRec, GRU4Rec, NextItNet, JODIE were not run)"


def test_one_rival_that_is_not_beaten_decides_whoever_else_was_not_run(make_bench):
    bench = make_bench().add("IMNNet", 3).add("FPMC", 30)
    found = judge(claim("five baselines"), bench.board())
    assert found.n_tested == 4
    assert found.text.startswith("not testable here (SASRec, GRU4Rec")
    decided = judge(claim("five baselines"), bench.add("SASRec", 1).board())
    assert decided.text == "does not hold (the opposite is seen)"
    # All are found among ten; NDCG is the first that says so.
    assert decided.worst.pair == Pair(Side("IMNNet", "ndcg@10"), Side("SASRec", "ndcg@10"))


def test_a_log_without_purchases_cannot_tell_what_purchases_bring(make_bench):
    bench = make_bench(purchases=False).add("IMNNet", 1).add("IMNNetStar", 9)
    verdict = judge(claim("IMN-Net*"), bench.board())
    assert verdict.text == "not testable here (the log knows no purchases)"


def test_purchases_are_known_of_older_results_too(make_bench):
    board = make_bench().add("IMNNet", 1).board()
    facts = board.any_result["protocols"]["all"]
    facts["slices"] = [one for one in facts["slices"] if one["grouping"] != "row's own event"]
    assert board.knows_purchases


def test_a_row_has_the_papers_difference_and_ours(make_bench):
    board = make_bench().add("IMNNet", 1).add("IMNNetStar", 40).board()
    _, where, theirs, ours, seeds, verdict = row(board, "IMN-Net*")
    assert where == "CZB and Tmall"
    # NDCG@10 and Recall@10 differ by 1 alike, and so the first metric of the claim is shown.
    assert theirs == "CZB +0.0046, Tmall +0.0042"
    assert ours.startswith("Recall@10, IMN-Net - IMN-Net*: +1.0000 [+1.0000, +1.0000] (one of")
    assert (seeds, verdict) == ("1", "holds")


def test_without_a_comparison_here_the_papers_differences_are_a_range(make_bench):
    board = make_bench().add("IMNNet", 1).board()
    _, _, theirs, ours, seeds, _ = row(board, "five baselines")
    # NDCG@10 against JODIE, and Recall@20 against NextItNet.
    assert (theirs, ours, seeds) == ("CZB +0.0133 to +0.0868", "-", "-")
    assert row(board, "IMN_NCE is below")[2] == "CZB +0.0162 to +0.0167, Tmall +0.0425 to +0.1230"


def test_impossible_figures_are_not_found_here(make_bench):
    bench = make_bench()
    for system in ("JODIE", "IMN_MSE", "IMNNet", "IMN_NCE"):
        bench.add(system, ranks(len(system)))
    _, where, theirs, ours, _, verdict = row(bench.board(), "NDCG@10 is above Recall@10")
    assert (where, verdict) == ("Tmall", "does not hold (the opposite is seen)")
    assert theirs.startswith("Tmall +0.1")
    assert "NDCG@10 - Recall@10: -0." in ours


def test_parts_are_claims_about_systems_with_switches(make_bench):
    bench = make_bench().add("IMNNet n_negatives=127", 1)
    for negatives in (31, 63, 255, 319):
        bench.add(f"IMNNet n_negatives={negatives}", 40 if negatives != 63 else 1)
    _, where, theirs, ours, _, verdict = row(bench.board(), "N = 128")
    assert (where, theirs) == ("its text", "no figure")
    assert verdict == "does not hold (no difference is shown)"
    assert "IMN-Net n_negatives=127 - IMN-Net n_negatives=63" in ours


def test_every_claim_has_a_row_and_the_rule_stands_above(make_bench):
    section = claims_section(make_bench().add("IMNNet", 1).board())
    assert len(section.table.rows) == len(CLAIMS)
    assert "lie above 0" in " ".join(section.sentences)
    verdicts = {line[-1].split(" (")[0] for line in section.table.rows}
    assert verdicts <= {"holds", "does not hold", "not testable here"}
    assert markdown_table(section.table).count("\n") == len(CLAIMS) + 1


def test_intervals_are_those_of_users(make_bench):
    """A lead in one of thirty users alone is no lead, however many rows are his."""
    lead = np.where(np.arange(N_ROWS) % 30 == 0, 1.0, 20.0)
    board = make_bench().add("IMNNet", lead).add("JODIE", 20).board()
    verdict = judge(ABOVE, board)
    assert verdict.worst.figure.mean > 0
    assert verdict.text == "does not hold (no difference is shown)"


def test_a_narrow_opposite_is_seen_beside_a_wide_doubt(make_bench):
    """What has the lowest interval need not be what is surest."""
    user = np.arange(N_ROWS) % 30
    # Recall@10 of a few users falls, that of others rises; NDCG@10 of all of them falls a little.
    mixed = Claim(
        "two",
        (),
        tuple(Pair(Side("IMNNet", m), Side("JODIE", m)) for m in ("recall@10", "ndcg@10")),
    )
    ours = np.where(user < 4, 40.0, np.where(user < 7, 10.0, 3.0))
    theirs = np.where(user < 4, 10.0, np.where(user < 7, 40.0, 2.0))
    board = make_bench().add("IMNNet", ours).add("JODIE", theirs).board()
    verdict = judge(mixed, board)
    assert verdict.text == "does not hold (the opposite is seen)"
    assert verdict.worst.pair.ahead.metric == "ndcg@10"


def test_many_comparisons_are_corrected_before_one_is_the_opposite(make_bench):
    """Of twenty comparisons one at 4% is no finding; alone it is."""
    user = np.arange(N_ROWS) % 30
    # Six users of thirty are behind, none ahead: 2 in 64 worlds are as far, 3.1%.
    ours = np.where(user < 6, 20.0, 1.0)
    others = [f"IMNNet n_negatives={n}" for n in (31, 63, 255)]
    pairs = tuple(Pair(Side("IMNNet", "ndcg@10"), Side(name, "ndcg@10")) for name in others)
    bench = make_bench().add("IMNNet", ours).add(others[0], 1)
    assert judge(Claim("alone", (), pairs[:1]), bench.board()).text.endswith("opposite is seen)")
    for name in others[1:]:
        bench.add(name, ours)
    verdict = judge(Claim("of three", (), pairs), bench.board())
    assert verdict.text == "does not hold (no difference is shown)"
