"""Copy tables of results/ into the README, between its results markers.

First the results of each benchmark on the whole catalogue, then the ablations.

python benchmarks/readme_results.py
"""

from __future__ import annotations

import sys
from itertools import takewhile
from pathlib import Path

BENCHMARK = "# Benchmark on "
README = Path("README.md")
START, END = "<!-- results -->", "<!-- end of results -->"


def main() -> int:
    pages = [file.read_text(encoding="utf-8") for file in sorted(Path("results").glob("*.md"))]
    benchmarks = [page.removeprefix(BENCHMARK) for page in pages if page.startswith(BENCHMARK)]
    ablations = [page for page in pages if page.startswith("# Parts of ")]
    sections = [section for page in ablations for section in page.split("\n## ")[1:]]
    text = "\n\n".join([summary(section) for section in (*benchmarks, *sections)])
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


def summary(section: str) -> str:
    """Name and first table of a section, with its notice if the data is simulated."""
    name, *lines = section.splitlines()
    name = name.removesuffix("(simulated data)").strip()
    notice = next((line for line in lines if "SIMULATED" in line), "")
    start = next(place for place, line in enumerate(lines) if line.startswith("|"))
    table = list(takewhile(lambda line: line.startswith("|"), lines[start:]))
    # The notice is emphasised in reports, and says where data come from before the first ';'.
    source = notice.strip("*").partition(";")[0]
    title = f"`{name}`" + (f" ({source})" if source else "")
    return "\n".join([f"{title}:", "", *table])


if __name__ == "__main__":
    sys.exit(main())
