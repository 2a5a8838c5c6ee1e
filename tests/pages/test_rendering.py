"""A page is one file that loads nothing, and no text can break out of its place."""

import re
from html.parser import HTMLParser

from recbole_imn.pages import (
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
from recbole_imn.pages.figures import line_path

EVIL = """"'></style></title><script>alert(1)</script><b onclick='x'>&{{ 7 * 7 }}"""
CURVE = [(1.0, 0.0), (2.0, 1.0)]


class Tags(HTMLParser):
    """Gathers tags, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text += data


def everything(text):
    """A page on which a text stands wherever one can."""
    look, table = ours(400), Table((text, text), [(text, text), (text, f"**{text}**")])
    figures = [
        Bars(text, [Bar(text, 1.0, text, look, text)], text, [Bar(text, 0.0, text)], text),
        Forest(text, [Interval(text, 0.0, -1.0, 1.0, text, look, text)], text),
        Panels(text, [Panel(text, text, CURVE, [CURVE], look, text)], text, None, text),
        Dots(text, [DotRow(text, text, text, [Dot(text, 1.0, text, look)])], text),
        Series(text, [1.0], [text] * 3, text),
    ]
    part = Part(text, [text], figures, table, [text], [Fold(text, table, [Fold(text)], [text])])
    return render(Page(text, text, [part], [text], [text], [Tile(text, text, text)]))


def test_no_text_becomes_a_tag_an_attribute_or_a_template():
    plain, evil = Tags(everything("plain")), Tags(everything(EVIL))
    assert evil.tags == plain.tags
    assert evil.attributes == plain.attributes
    assert "script" not in evil.tags
    assert "49" not in evil.text
    # Once for each place in which plain text stands.
    assert evil.text.count("alert(1)") == plain.text.count("plain") - styles(plain)


def styles(tags):
    """How often the style sheet has the word."""
    return tags.text.count(".plain") + tags.text.count("--plain")


def test_a_page_loads_nothing_and_says_that_it_may_not():
    page = everything("x")
    assert not re.findall(r"<[^>]+(?:src|href)=|@import|url\(", page)
    assert "default-src 'none'" in page


def test_a_hue_is_on_the_circle_and_stars_make_bold():
    page = everything("x")
    assert "--hue: 40" in page
    assert "<b>x</b>" in page


def test_a_path_is_upside_down():
    assert line_path([(0.0, 0.0), (50.0, 100.0)]) == "M0.00 100.00L50.00 0.00"
    panels = Panels("", [Panel("", "", CURVE)])
    assert panels.path(CURVE) == "M0.00 100.00L100.00 0.00"
    assert Series("", [2.0], ["", "", ""]).line == "M0.00 0.00L100.00 0.00"
