"""What a page must be like in a browser, at a width and in a scheme, and on paper."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from itertools import product

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDTHS, SCHEMES = (1280, 400), ("light", "dark")
# A page of A4 between its margins, printed by somebody whose screen is dark.
PRINTED = (703, "dark", "print")
CHECK = """() => {
  const found = [];
  const seen = (node) => node.checkVisibility();
  const kind = (node) => node.className.baseVal ?? node.className;
  const named = (node) => `${node.tagName.toLowerCase()}.${kind(node)}`
    + ` '${node.textContent.trim().replace(/\\s+/g, ' ').slice(0, 40)}'`;
  document.querySelectorAll('details').forEach((one) => { one.open = true; });

  // Nothing leaves the page, and no text is cut.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push('overflow: the page itself');
  for (const node of document.querySelectorAll('body *')) {
    if (!seen(node)) continue;
    const box = node.getBoundingClientRect();
    if (box.right > width + 0.5 || box.left < -0.5) found.push(`overflow: ${named(node)}`);
    if (!(node instanceof SVGElement) && getComputedStyle(node).overflowX !== 'visible'
      && node.scrollWidth > node.clientWidth + 1) found.push(`cut: ${named(node)}`);
  }

  // Cells of a row stand beside each other, unless the row is a card.
  for (const row of document.querySelectorAll('tr')) {
    if (!seen(row) || getComputedStyle(row).display !== 'table-row') continue;
    const tops = [...row.children].map((cell) => cell.getBoundingClientRect().top);
    if (Math.max(...tops) - Math.min(...tops) > 1) found.push(`stacked: ${named(row)}`);
  }

  // Texts, line by line, a little smaller than their boxes.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    if (!text.data.trim() || !seen(text.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (box.width > 1) lines.push({ node: text.parentElement, text: text.data.trim(),
        top: box.top + 2, bottom: box.bottom - 2, left: box.left + 1, right: box.right - 1 });
    }
  }
  lines.sort((one, other) => one.top - other.top);
  lines.forEach((one, place) => {
    for (let next = place + 1; next < lines.length && lines[next].top < one.bottom; next += 1) {
      const other = lines[next];
      if (one.left < other.right && other.left < one.right)
        found.push(`overlap: '${one.text.slice(0, 40)}' and '${other.text.slice(0, 40)}'`);
    }
  });

  // Contrasts, as WCAG 2.2 computes them.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const rgba = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba('white');
  };
  const light = (color) => color.slice(0, 3)
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const contrast = (color, node) => {
    const pair = [light(rgba(color)), light(behind(node))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  for (const node of new Set(lines.map((line) => line.node)))
    if (contrast(getComputedStyle(node).color, node) < 4.5) found.push(`contrast: ${named(node)}`);
  for (const node of document.querySelectorAll('td'))
    if (seen(node) && contrast(getComputedStyle(node, '::before').color, node) < 4.5)
      found.push(`contrast: the column of ${named(node)}`);

  // Plots.
  const plots = [...document.querySelectorAll('figure.plot')];
  if (matchMedia('print').matches && light(behind(document.body)) < 1)
    found.push('not white: the paper');
  for (const plot of plots) {
    const title = plot.querySelector('figcaption').textContent;
    const inside = plot.getBoundingClientRect();
    const marks = [...plot.querySelectorAll('.mark')];
    if (!marks.length) found.push(`not drawn: ${title} has no mark`);
    for (const mark of marks) {
      const box = mark.getBoundingClientRect(), style = getComputedStyle(mark);
      const is_line = mark instanceof SVGElement;
      const size = is_line ? mark.getTotalLength() : Math.min(box.width, box.height);
      if (!(size > 0)) found.push(`not drawn: a mark of ${title}`);
      if (box.top < inside.top - 8 || box.bottom > inside.bottom + 8)
        found.push(`not drawn: a mark of ${title} leaves it`);
      const color = is_line ? style.stroke : style.backgroundColor;
      if (contrast(color, mark.parentElement) < 3) found.push(`contrast: a mark of ${title}`);
    }
    for (const svg of plot.querySelectorAll('svg')) {
      const box = svg.getBoundingClientRect(), frame = svg.parentElement.getBoundingClientRect();
      if (Math.abs(box.height - frame.height) > 1 || box.width < 60)
        found.push(`not drawn: ${title} does not fit its frame`);
    }
  }
  return { found, plots: plots.map((plot) => plot.dataset.kind) };
}"""

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium; on Debian: apt-get install chromium"
)


@contextmanager
def open_browser():
    """Give a function that opens a file somehow, see :func:`_look`, and says what is wrong."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        # Tests may run as root, where its sandbox does not.
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield lambda *how: _look(browser, *how)
        browser.close()


def _look(browser, path, width=1280, scheme="light", media="screen"):
    """Give what is wrong with a page, and the kinds of its plots."""
    viewport = {"width": width, "height": 900}
    page = browser.new_page(viewport=viewport, color_scheme=scheme, offline=True)
    page.emulate_media(media=media)
    problems, asked = [], []
    page.on("console", lambda message: problems.append(f"console: {message.text}"))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.resolve().as_uri())
    found = page.evaluate(CHECK)
    page.close()
    problems += [f"network: {url}" for url in asked if not url.startswith("file:")]
    return [*problems, *found["found"]], found["plots"]


def everywhere(look, path):
    """Give what is wrong at each width, in each scheme and on paper, and the kinds of plots."""
    wrong, plots = {}, []
    for how in (*product(WIDTHS, SCHEMES), PRINTED):
        found, plots = look(path, *how)
        if found:
            wrong[" ".join(map(str, how))] = found[:10]
    return json.dumps(wrong, indent=1) if wrong else "", plots
