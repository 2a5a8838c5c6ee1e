"""Copy tables of results/ into README.md and docs/, between their markers.

python benchmarks/readme_results.py           # writes
python benchmarks/readme_results.py --check   # says what would be written, with status 1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path

from recbole_imn.compat import MENDS
from recbole_imn.evaluation.report.gather import STRONG

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
BENCHMARK = "# Benchmark on "
OURS = "IMNNetPlus"
# The page of each log from which the short table is taken, and the log's name in it.
LOGS = {
    "RetailRocket": "retailrocket.md",
    "Wikipedia": "jodie_wikipedia.md",
    "czb (SIMULATED, version 2)": "czb.md",
}
LEADERBOARD = "quality/tgb_jodie_wikipedia.md"
PUBLISHED = ("TPNet", "LocalGlobal recency and popularity heuristic", "HyperEvent", "DyGFormer")
EFFECT, HIDDEN = "resource_effect.md", "purchases_hidden.md"
CLAIMS = {
    "[czb](../results/czb_claims.md) (SIMULATED)": "czb_claims.md",
    "[RetailRocket](../results/retailrocket_claims.md)": "retailrocket_claims.md",
    "[Wikipedia](../results/jodie_wikipedia_claims.md)": "jodie_wikipedia_claims.md",
}
Rows = list[list[str]]


def main(arguments: list[str]) -> int:
    """Write, or compare, all pages, and give the exit status."""
    texts = pages()
    changed = [page for page in texts if page.read_text(encoding="utf-8") != texts[page]]
    if "--check" in arguments:
        for page in changed:
            print(f"{page.relative_to(ROOT)} is not what results/ say", file=sys.stderr)
        return int(bool(changed))
    for page in changed:
        page.write_text(texts[page], encoding="utf-8")
    return 0


def pages() -> dict[Path, str]:
    """Give every page with markers, and its text as it should be."""
    return {
        ROOT / name: filled((ROOT / name).read_text(encoding="utf-8"), blocks)
        for name, blocks in PAGES.items()
    }


def filled(page: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Give a page with new texts between ``<!-- NAME -->`` and ``<!-- /NAME -->``."""
    for name, make in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = page.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"a page has no {start} and {end}")
        page = f"{before}{start}\n{make()}\n{end}{after}"
    return page


def read(name: str) -> str:
    """Give a page of results/."""
    return (RESULTS / name).read_text(encoding="utf-8")


def tables(text: str) -> list[Rows]:
    """Give the tables of a text, each a list of rows of cells, the heading first."""
    found = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    cells = [[line.strip("| ").split(" | ") for line in one.splitlines()] for one in found]
    return [[rows[0], *rows[2:]] for rows in cells]


def section(text: str, heading: str) -> str:
    """Give what stands below the first heading ``##`` that begins with these words."""
    found = sections(text, heading)
    if not found:
        raise ValueError(f"no section {heading!r}")
    return found[0]


def sections(text: str, heading: str) -> list[str]:
    """Give what stands below each heading ``##`` that begins with these words, heading first."""
    return [part for part in text.split("\n## ")[1:] if part.startswith(heading)]


def column(rows: Rows, name: str) -> dict[str, str]:
    """Give a column of a table by the first cell of each row."""
    place = rows[0].index(name)
    return {row[0]: row[place].strip("*") for row in rows[1:]}


def short_table() -> str:
    """Give a row a log: the best baseline, ours, and the difference with its interval."""
    lines = [
        f"| log | test rows | best baseline | its NDCG@10 | {OURS} | difference, 95% |",
        "|---|---|---|---|---|---|",
    ]
    for log, name in LOGS.items():
        page = read(name)
        against = section(page, "Against ")
        baseline = against.removeprefix("Against ").partition(",")[0]
        results = section(page, "Results: the whole catalogue ranked")
        ndcg = column(tables(results)[0], "NDCG@10")
        n_rows = re.search(r"([\d,]+) test rows", results)
        compared = tables(against)[0]
        difference = column(compared, "NDCG@10 difference")[OURS]
        low, high = column(compared, "95% interval")[OURS].split(" to ")
        # The mark of a strong baseline is explained on the page.
        named = baseline.removesuffix(f" {STRONG}")
        cells = [f"[{log}](results/{name})", n_rows[1] if n_rows else "", named]
        cells += [ndcg[baseline], f"**{ndcg[OURS]}**", f"{difference} [{low}, {high}]"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def leaderboard() -> str:
    """Give a sentence: ours beside the best of what others have published."""
    page = read(LEADERBOARD)
    ours, published = tables(section(page, "MRR over"))[0], published_figures(page)
    best = PUBLISHED[0]
    low_high = column(ours, "95% interval")[OURS]
    return (
        f"On the public leaderboard's protocol (`tgbl-wiki-v2` of the Temporal Graph Benchmark) "
        f"`{OURS}` has a test MRR of **{column(ours, 'test MRR')[OURS]}** (95% {low_high}); "
        f"published are {published[best][0]} ({best}) at best, and `RecentHistory` has "
        f"{column(ours, 'test MRR')['RecentHistory'].partition(' ')[0]}. Its test part had been "
        f"seen before: [the page](results/{LEADERBOARD}) says what differs."
    )


def published_figures(page: str) -> dict[str, list[str]]:
    """Give test and validation MRR that others have published."""
    rows = tables(section(page, "What others have published"))[0][1:]
    return {row[0]: [cell.partition(" ")[0].replace("-", "") for cell in row[1:]] for row in rows}


def anchors() -> str:
    """Give the table of figures on the public leaderboard's protocol."""
    page = read(LEADERBOARD)
    published = published_figures(page)
    ours = tables(section(page, "MRR over"))[0]
    lines = [
        f"Test MRR over all 1,000 pages ([whole page](results/{LEADERBOARD})):",
        "",
        "| | test | 95% interval | validation |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row[:4])} |" for row in reversed(ours[1:])),
        *(
            f"| {name} (published) | {published[name][0]} | | {published[name][1]} |"
            for name in PUBLISHED
        ),
    ]
    return "\n".join(lines)


def effect() -> str:
    """Give what knowing purchases adds on markets of known strength: each table of its page."""
    heading, parts = "Difference in NDCG@10, ", []
    for part in sections(read(EFFECT), heading):
        first, *lines = part.removeprefix(heading).splitlines()
        table = [line for line in lines if line.startswith("|")]
        parts.append("\n".join([f"{first.capitalize()}:", "", *table]))
    return "\n\n".join(parts)


def claims() -> str:
    """Give the verdict on each claim of the paper, a column a log."""
    found: dict[str, list[str]] = {}
    for name in CLAIMS.values():
        table = tables(section(read(name), "The paper's claims"))[0]
        here, verdict = (table[0].index(column) for column in ("here, 95% interval", "verdict"))
        for row in table[1:]:
            difference = re.search(r": ([+-]\d\.\d+ \[[^]]+\])", row[here])
            told = row[verdict].replace("not testable here", "not testable")
            cells = found.setdefault(row[0], [])
            cells.append(f"{told}: {difference[1]}" if difference else told)
    lines = [f"| claim | {' | '.join(CLAIMS)} |", "|---" * (len(CLAIMS) + 1) + "|"]
    return "\n".join(
        [*lines, *(f"| {claim} | {' | '.join(row)} |" for claim, row in found.items())]
    )


def hidden() -> str:
    """Give what purchases are worth on a real log."""
    return "\n".join(line for line in read(HIDDEN).splitlines() if line.startswith("|"))


def held() -> str:
    """Give figures before and after, a row a log."""
    pages = read("quality/held.md").split("# NDCG@10 on ")[1:]
    lines = ["| log | before | after | difference, 95% |", "|---|---|---|---|"]
    for page in pages:
        name = page.partition(",")[0]
        row = next(row for row in tables(page)[0][1:] if row[0] == OURS)
        lines.append(f"| `{name}` | {' | '.join(row[2:5])} |")
    return "\n".join(lines)


def benchmarks() -> str:
    """Give the first table of each benchmark in results/."""
    found = [file.read_text(encoding="utf-8") for file in sorted(RESULTS.glob("*.md"))]
    return "\n\n".join(
        summary(page.removeprefix(BENCHMARK)) for page in found if page.startswith(BENCHMARK)
    )


def ablations() -> str:
    """Give the first table of each log of each ablation in results/."""
    found = [file.read_text(encoding="utf-8") for file in sorted(RESULTS.glob("*.md"))]
    parts = [page for page in found if page.startswith("# Parts of ")]
    return "\n\n".join(summary(one) for page in parts for one in page.split("\n## ")[1:])


def summary(text: str) -> str:
    """Name and first table of a section, with its notice if the data is simulated."""
    name, *lines = text.splitlines()
    name = name.removesuffix("(simulated data)").strip()
    notice = next((line for line in lines if "SIMULATED" in line), "")
    start = next(place for place, line in enumerate(lines) if line.startswith("|"))
    table = list(takewhile(lambda line: line.startswith("|"), lines[start:]))
    # The notice is emphasised in reports, and says where data come from before the first ';'.
    source = notice.strip("*").partition(";")[0]
    title = f"`{name}`" + (f" ({source})" if source else "")
    return "\n".join([f"{title}:", "", *table])


def mends() -> str:
    """Give what is mended of RecBole."""
    lines = ["| mend | what goes wrong without it | in RecBole 1.2.1 |", "|---|---|---|"]
    lines += [f"| `{mend.name}` | {mend.reason} | `{mend.upstream}` |" for mend in MENDS]
    return "\n".join(lines)


def below(make: Callable[[], str]) -> Callable[[], str]:
    """Give the same block with links as they are in docs/."""
    return lambda: make().replace("](results/", "](../results/")


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"results": short_table, "leaderboard": leaderboard},
    "docs/results.md": {
        "results": below(short_table),
        "held": held,
        "leaderboard": below(leaderboard),
        "benchmarks": benchmarks,
        "ablations": ablations,
    },
    "docs/benchmark.md": {"anchors": below(anchors)},
    "docs/claim.md": {"effect": below(effect), "hidden": hidden, "claims": claims},
    "docs/traps.md": {"mends": mends},
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
