"""Draw which room of the package imports which: ``python docs/site/drawing.py``.

Rooms are the folders of the package. What is imported when a module is loaded counts; what a
function imports when it is called does not. Rooms that import each other share a frame, and an
arrow that others imply is left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "recbole_imn"
DRAWING = ROOT / "docs" / "architecture.svg"
Group = frozenset[str]
BOX, GAP, HEIGHT, LAYER = 108, 12, 34, 84
STYLE = (
    "<style>text{font:14px sans-serif;fill:#222;text-anchor:middle}"
    ".frame{fill:#f3f3f7;stroke:#888}.room{fill:#fff;stroke:#3f51b5}"
    "line{stroke:#666;stroke-width:1.2;marker-end:url(#arrow)}</style>"
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>'
)


def main() -> int:
    """Write the drawing, and give the exit status."""
    DRAWING.write_text(draw(imports(PACKAGE)), encoding="utf-8")
    return 0


def imports(package: Path) -> dict[str, set[str]]:
    """Give, for each room of a package, the rooms that it imports when it is loaded."""
    found: dict[str, set[str]] = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).parts
        if len(parts) > 1:
            targets = {
                name.split(".")[1]
                for statement in on_loading(ast.parse(file.read_text(encoding="utf-8")).body)
                for name in names_of(statement)
                if name.startswith(f"{package.name}.")
            }
            rooms = {name for name in targets if (package / name / "__init__.py").exists()}
            found.setdefault(parts[0], set()).update(rooms - {parts[0]})
    return found


def on_loading(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that run when a module is loaded, but for those of type checkers."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try):
            if not (isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)):
                yield from on_loading([*statement.body, *statement.orelse])
        else:
            yield statement


def names_of(statement: ast.stmt) -> list[str]:
    """Give the dotted names that a statement imports."""
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return [f"{statement.module}.{alias.name}" for alias in statement.names]
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return []


def reachable(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Give, for each room, all that it imports, by whatever way."""
    found = {room: set(others) for room, others in graph.items()}
    for _ in found:
        found = {
            room: others.union(*(found.get(other, set()) for other in others))
            for room, others in found.items()
        }
    return found


def groups(graph: dict[str, set[str]]) -> dict[str, Group]:
    """Give, for each room, those that it imports and that import it, itself among them."""
    far = reachable(graph)
    return {
        room: frozenset({room, *(other for other in far[room] if room in far.get(other, ()))})
        for room in graph
    }


def arrows(graph: dict[str, set[str]]) -> set[tuple[Group, Group]]:
    """Give the imports between groups that no others imply."""
    of, far = groups(graph), reachable(graph)
    every = {(of[a], of[b]) for a, others in graph.items() for b in others if of[a] != of[b]}
    return {
        (a, b)
        for a, b in every
        if not any(
            (a, middle) in every and min(b) in far[min(middle)]
            for middle in set(of.values()) - {a, b}
        )
    }


def layers(graph: dict[str, set[str]]) -> list[list[Group]]:
    """Give groups in layers, from those that import most to those that import nothing."""
    of, pairs = groups(graph), arrows(graph)
    depth = dict.fromkeys(of.values(), 0)
    for _ in depth:
        for a, b in pairs:
            depth[a] = max(depth[a], depth[b] + 1)
    return [
        sorted((group for group, at in depth.items() if at == level), key=sorted)
        for level in range(max(depth.values()), -1, -1)
    ]


def width(group: Group) -> int:
    """Give how wide the frame of a group is."""
    return len(group) * (BOX + GAP) + GAP


def draw(graph: dict[str, set[str]]) -> str:
    """Give the drawing, as SVG."""
    rows = layers(graph)
    total = max(sum(width(group) + 3 * GAP for group in row) for row in rows)
    places: dict[Group, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        x = (total - sum(width(group) + 3 * GAP for group in row) + 3 * GAP) / 2
        for group in row:
            places[group] = (x, 10 + number * LAYER)
            x += width(group) + 3 * GAP
    height = len(rows) * LAYER
    lines = [
        line(places, a, b) for a, b in sorted(arrows(graph), key=lambda pair: [*map(sorted, pair)])
    ]
    boxes = [box(group, *place) for group, place in places.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}" '
        f'viewBox="0 0 {total} {height}" role="img">'
        f"<title>Rooms of recbole_imn and their imports</title>{STYLE}"
        f'<rect width="{total}" height="{height}" fill="#fff"/>\n'
        + "\n".join([*lines, *boxes])
        + "\n</svg>\n"
    )


def line(places: dict[Group, tuple[float, float]], a: Group, b: Group) -> str:
    """Give the arrow from a group to one that it imports, which lies below."""
    (ax, ay), (bx, by) = places[a], places[b]
    return (
        f'<line x1="{ax + width(a) / 2:.0f}" y1="{ay + HEIGHT + 2 * GAP:.0f}" '
        f'x2="{bx + width(b) / 2:.0f}" y2="{by - 2:.0f}"/>'
    )


def box(group: Group, x: float, y: float) -> str:
    """Give the frame of a group and its rooms."""
    found = [
        f'<rect class="frame" x="{x:.0f}" y="{y:.0f}" width="{width(group)}" '
        f'height="{HEIGHT + 2 * GAP}" rx="6"/>'
    ]
    for place, room in enumerate(sorted(group)):
        left = x + GAP + place * (BOX + GAP)
        found.append(
            f'<rect class="room" x="{left:.0f}" y="{y + GAP:.0f}" width="{BOX}" '
            f'height="{HEIGHT}" rx="4"/>'
            f'<text x="{left + BOX / 2:.0f}" y="{y + GAP + 22:.0f}">{escape(room)}</text>'
        )
    return "".join(found)


if __name__ == "__main__":
    sys.exit(main())
