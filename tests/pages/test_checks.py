"""The checks find what they look for, and a page of every kind of plot passes them."""

import pytest

from recbole_imn.pages import (
    BASELINE,
    Bar,
    Bars,
    Dot,
    DotRow,
    Dots,
    Fold,
    Forest,
    Interval,
    Page,
    Panel,
    Panels,
    Part,
    Series,
    Table,
    Tile,
    ours,
    render,
)
from tests.pages.checks import PRINTED, everywhere, needs_browser, open_browser

pytestmark = needs_browser
LONG = "a name of a model with all of its switches=too many"
CURVE = [(1.0, 0.1), (2.0, 0.3), (3.0, 0.2)]
FIGURES = [
    Bars(
        "Bars",
        [Bar(LONG, 1234.5, "1,234.5 ± 1.0", ours(0), "ours", 1.0), Bar("b", 3.0, "3", BASELINE)],
        "about them",
        [Bar("none", 0.0, "0")],
        "one of zero",
    ),
    Forest(
        "Forest",
        [
            Interval(f"at {hue}", hue - 150, hue - 160, hue - 100, f"{hue - 150:+}", ours(hue))
            for hue in range(0, 360, 30)
        ],
    ),
    Panels("Panels", [Panel(LONG, "best", CURVE, [CURVE], ours(9), "ours")] * 7, "", 0.25, "epoch"),
    Dots("Dots", [DotRow("rows", "12 rows", "0.1 / 0.2", [Dot("a", 0.1, "0.1", BASELINE, True)])]),
    Series("Series", [1.0, 3.0, 2.0], ["2019-01-01", "2019-02-01", "2019-03-01"]),
]
TABLES = [Table(("what", *("x" * n)), [(LONG, *("1.2345 ± 0.0001",) * n)]) for n in (1, 2, 5, 9)]


@pytest.fixture(scope="module")
def look():
    with open_browser() as look:
        yield look


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    folds = [Fold("tables", table, [Fold("inside", table)]) for table in TABLES]
    parts = [Part("All plots", ["before"], FIGURES, TABLES[1], ["after"], folds, in_columns)
             for in_columns in (False, True)]  # fmt: skip
    tiles = [Tile("1.5", "a figure", "and a note")] * 3
    path.write_text(render(Page("page", "heading", parts, ["lead"], ["notice"], tiles)))
    return path


def test_a_page_of_every_plot_is_right_at_every_width_in_both_schemes_and_on_paper(look, page):
    wrong, plots = everywhere(look, page)
    assert wrong == ""
    assert plots == ["bars", "forest", "panels", "dots", "series"] * 2


@pytest.mark.parametrize(
    ("style", "problem"),
    [
        ("h1 { width: 2000px }", "overflow: "),
        ("h1 { width: 20px; overflow: hidden; overflow-wrap: normal }", "cut: h1"),
        ("h2 { margin-bottom: -1.2rem }", "overlap: "),
        (":root { --quiet: #999 }", "contrast: "),
        (".baseline { --mark: #ddd }", "contrast: a mark of "),
        (".bar { height: 0 }", "not drawn: a mark of Bars"),
        ("svg { height: 300px }", "not drawn: Panels does not fit"),
        (".dot { top: 300% }", "not drawn: a mark of Dots leaves it"),
        (".numbers { display: grid }", "stacked: tr."),
        ("@media print { body { background: #eee } }", "not white: the paper"),
    ],
)
def test_each_mistake_is_found(look, page, tmp_path, style, problem):
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("</style>", style + "</style>"))
    found, _ = look(broken, *(PRINTED if "print" in style else ()))
    assert [one for one in found if one.startswith(problem)], found


def test_a_script_or_a_picture_from_elsewhere_is_refused_by_the_page_itself(look, page, tmp_path):
    broken = tmp_path / "broken.html"
    more = "<script>document.title = 1</script><img src='https://example.org/a.png'>"
    broken.write_text(page.read_text().replace("</body>", more + "</body>"))
    found, _ = look(broken)
    # The attempt is seen, whether it was refused or not.
    assert sum("Content Security Policy" in one for one in found) == 2
    assert "network: https://example.org/a.png" in found
