"""A report as one HTML file that needs nothing else, plots included."""

from __future__ import annotations

from collections.abc import Iterator

from recbole_imn.evaluation.report.contents import warnings
from recbole_imn.evaluation.report.figures import Painter, is_zero
from recbole_imn.evaluation.report.gather import STRONG, Board, label
from recbole_imn.evaluation.report.looks import looks
from recbole_imn.evaluation.report.parts import RANKED, Contents, Section, Table
from recbole_imn.evaluation.report.provenance import provenance
from recbole_imn.evaluation.report.slice_figures import Slices
from recbole_imn.pages import Figure, Fold, Page, Part, Tile, render

LEGEND = (
    "Our models have a colour each, the same in every plot; baselines are grey. "
    f"{STRONG} is a strong baseline: a method of others at its best."
)


def html_page(contents: Contents, board: Board) -> str:
    """Give the whole page: what was found, plots, what the paper says, tables, provenance.

    Parameters
    ----------
    contents : Contents
        What the markdown page says, too.
    board : Board
        What plots are drawn from.
    """
    return render(
        Page(
            title=contents.title,
            heading=contents.title,
            notices=contents.notices,
            lead=[LEGEND],
            tiles=list(_tiles(contents, board)),
            parts=list(_parts(contents, board)),
        )
    )


def _tiles(contents: Contents, board: Board) -> Iterator[Tile]:
    """Give the best of ours and its difference to the strongest baseline, by protocol."""
    painter, colors, shown = Painter(board, looks(board)), looks(board), board.agreed.label
    for protocol in board.protocols:
        compared = contents.against.get(protocol)
        mine = [system for system in painter.order(protocol) if colors[system].is_ours][:1]
        if not mine or compared is None:
            continue
        best, baseline = (
            f"{board.metric(system, protocol, board.agreed.metric).mean():.4f}"
            for system in (mine[0], compared.baseline)
        )
        about = f"{shown}, {RANKED[protocol]}"
        beside = f"{label(compared.baseline)}, the strongest baseline: {baseline}"
        yield Tile(best, f"{label(mine[0])}, the best of ours: {about}", beside)
        found = compared.found[mine[0]].figure
        interval = f"95% interval over users and seeds: {found.interval}"
        yield Tile(f"{found.mean:+.4f}", f"Difference of the two: {about}", interval)


def _parts(contents: Contents, board: Board) -> Iterator[Part]:
    colors = looks(board)
    painter = Painter(board, colors)
    yield from _anchor(contents, board, painter)
    for protocol in board.protocols:
        yield _results(contents, board, painter, protocol)
    curves = painter.curves()
    if curves is not None:
        yield Part("Learning curves", figures=[curves])
    for protocol in board.protocols:
        slices = Slices(board, protocol, painter, colors)
        title = f"{board.agreed.label} by kind of row: {RANKED[protocol]}"
        figures, folds = slices.figures(), slices.folds()
        yield Part(title, [slices.about], figures, folds=folds, in_columns=True)
    yield from _paper(contents)
    yield from _plain(contents, board, painter)


def _anchor(contents: Contents, board: Board, painter: Painter) -> Iterator[Part]:
    """Give what stands beside figures that others have published."""
    for section in contents.of("anchor"):
        yield Part(section.title, table=section.table, notes=section.sentences)
    for section in contents.of("leaderboard"):
        assert section.table is not None
        figure = painter.leaderboard(board.protocols[0], section.table)
        fold = Fold("Table: published figures", section.table)
        yield Part(section.title, section.sentences[:1], [figure], folds=[fold, _rest(section)])


def _rest(section: Section) -> Fold:
    return Fold("Where their evaluation and ours differ", sentences=section.sentences[1:])


def _results(contents: Contents, board: Board, painter: Painter, protocol: str) -> Part:
    """Give bars and differences of a protocol, with their tables folded."""
    (results,) = contents.of("results", protocol)
    warned = warnings(board, protocol)
    notes = [one for one in results.sentences[1:] if one not in warned]
    figures: list[Figure] = [painter.bars(protocol)]
    folds = [_table("Table: all metrics", results.table)]
    for section in contents.of("comparisons", protocol):
        figures.append(painter.forest(protocol, contents.against[protocol]))
        folds.append(Fold("Table: differences, intervals and p", section.table))
        notes += section.sentences
    (users,) = contents.of("users", protocol)
    folds.append(Fold("Table: every user counted once", users.table, sentences=users.sentences))
    return Part(results.title, [results.sentences[0], *warned], figures, None, notes, folds)


def _table(title: str, table: Table | None) -> Fold:
    """Fold a table, and in it once more the rows that are zero in every column."""
    assert table is not None
    zeros = [row for row in table.rows if all(map(is_zero, row[1:]))]
    rows = [row for row in table.rows if row not in zeros]
    names = ", ".join(row[0] for row in zeros)
    inner = [Fold(f"0.0000 in every column: {names}", Table(table.columns, zeros))] if zeros else []
    return Fold(title, Table(table.columns, rows), inner)


def _paper(contents: Contents) -> Iterator[Part]:
    """Give the paper's claims, those that can be tested here first, and its figures."""
    for section in contents.of("claims"):
        assert section.table is not None
        columns, rows = section.table.columns, section.table.rows
        untested = [row for row in rows if row[-1].startswith("not testable")]
        tested = [row for row in rows if row not in untested]
        fold = Fold(f"{len(untested)} claims that are not testable here", Table(columns, untested))
        yield Part(
            section.title,
            table=Table(columns, tested) if tested else None,
            notes=section.sentences,
            folds=[fold] if untested else [],
        )
    for section in contents.of("paper"):
        fold = Fold("Table: the paper's figures and ours", section.table)
        yield Part(section.title, section.sentences, folds=[fold])
    for section in contents.of("paper log"):
        yield Part(section.title, table=section.table, notes=section.sentences)


def _plain(contents: Contents, board: Board, painter: Painter) -> Iterator[Part]:
    """Give what there is to know of the runs themselves."""
    kinds = ("log", "cost", "settings", "environment")
    (log,), (cost,), (settings,), (source,) = map(contents.of, kinds)
    yield Part(log.title, log.sentences, table=log.table)
    table = Fold("Table: time, memory and size", cost.table)
    yield Part(cost.title, [], [painter.training_time()], None, cost.sentences, [table])
    table = Fold("Table: settings by model", settings.table)
    yield Part(settings.title, settings.sentences, folds=[table])
    yield Part(source.title, source.sentences, table=source.table, folds=[provenance(board)])
