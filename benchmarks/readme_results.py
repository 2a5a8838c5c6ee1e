"""Copy the tables of results/ablation*.md into the README, between its results markers.

python benchmarks/readme_results.py
"""

from __future__ import annotations

import sys
from pathlib import Path

SOURCES = "ablation*.md"
README = Path("README.md")
START, END = "<!-- results -->", "<!-- end of results -->"


def main() -> int:
    pages = [file.read_text(encoding="utf-8") for file in sorted(Path("results").glob(SOURCES))]
    sections = [section for page in pages for section in page.split("\n## ")[1:]]
    text = "\n\n".join(summary(section) for section in sections)
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


def summary(section: str) -> str:
    """Name and first table of a section, with its notice if the data is simulated."""
    name, *lines = section.splitlines()
    notice = next((line for line in lines if "SIMULATED" in line), "")
    table = [line for line in lines if line.startswith("|")]
    end = next((place for place, line in enumerate(table) if line.startswith("| rows |")), None)
    title = f"`{name.strip()}`" + (f" ({notice.partition('.')[0]})" if notice else "")
    return "\n".join([f"{title}:", "", *table[:end]])


if __name__ == "__main__":
    sys.exit(main())
