"""The page, in a browser without a window."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from recbole_imn.serving.http import HttpSettings, make_app

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(f"there is no {CHROMIUM}", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

KEY = "a-key-that-nobody-guesses"
# Contrast of text with what is behind it, as WCAG 2.2 computes it.
CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = rgba(getComputedStyle(node).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const light = (color) => color.slice(0, 3)
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !node.checkVisibility() || node.closest('.skip')) continue;
    const pair = [light(rgba(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    found.push([node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 30), ratio]);
  }
  return found;
}"""
NAMELESS = """() => [...document.querySelectorAll('button, input, a, table, ol, ul, section')]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.labels?.length || node.getAttribute('aria-label')
    || document.getElementById(node.getAttribute('aria-labelledby'))?.textContent.trim()
    || node.querySelector('caption')
    || ['BUTTON', 'A'].includes(node.tagName) && node.textContent.trim()))
  .map((node) => node.outerHTML.slice(0, 80))"""
REPEATED = """() => {
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        # Tests may run as root, where its sandbox does not.
        found = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@pytest.fixture
def serve(recommender):
    """Give a function that serves the recommender on a free port and gives the address."""
    running = []

    def start(**settings) -> str:
        app = make_app(recommender, HttpSettings(rate=0, **settings))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture
def visit(browser):
    """Give a function that opens a page, which must have nothing to complain about."""
    contexts, complaints = [], []

    def open_page(address: str, width: int = 1280, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:"))
                else complaints.append(f"asked {request.url}")
            ),
        )
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def choose_user(page, name: str) -> None:
    page.get_by_label("Find a user").fill(name)
    page.get_by_role("button", name=f"User {name}", exact=True).click()
    page.locator("#ranking .row").first.wait_for()


def ranking(page) -> list[str]:
    return page.locator("#ranking .row").evaluate_all("rows => rows.map(row => row.dataset.item)")


def test_a_purchase_moves_ranking_and_explanation(serve, visit, recommender):
    page, user = visit(serve()), recommender.users[0]
    assert page.locator("#simulated").inner_text().startswith("SIMULATED")
    choose_user(page, user)
    before, position = ranking(page), recommender.position
    assert before == recommender.recommend(user)["item"].tolist()
    page.locator("#ranking .row").nth(4).get_by_role("button", name="Why").click()
    page.locator("#why table").first.wait_for()
    told = page.locator("#why p").first.inner_text()
    page.locator("#ranking .row").nth(4).get_by_role("button", name="Buy").click()
    page.locator("#news", has_text="items moved").wait_for()
    afterwards = ranking(page)
    assert recommender.position == position + 1
    assert afterwards == recommender.recommend(user)["item"].tolist()
    assert afterwards != before
    moves = dict(zip(afterwards, page.locator("#ranking .move").all_inner_texts(), strict=True))
    for rank, item in enumerate(afterwards):
        earlier = before.index(item) if item in before else None
        word = "new" if earlier is None else "up" if earlier > rank else "down"
        assert (word in moves[item]) == (earlier != rank)
    page.locator("#why p").first.filter(has_not_text=told).wait_for()
    assert page.locator("#why p").first.inner_text() != told


def test_beside_it_stands_the_ranking_without_the_purchase(serve, visit, recommender):
    user = recommender.users[0]
    position = recommender.position
    page = visit(serve())
    choose_user(page, user)
    page.locator("#ranking .row").nth(2).get_by_role("button", name="Buy").click()
    page.locator("#news", has_text="items moved").wait_for()
    assert recommender.position == position + 1
    shown = page.locator("#without-ranking .what").all_inner_texts()
    # As it was, but for the moment, which is that of the purchase.
    moment = recommender.last_time + recommender.clock.origin
    served = page.request.get(
        f"{page.url}users/{user}/recommendations?without_purchases=1&at={moment}"
    ).json()
    assert served["without_purchases"] == 1
    assert shown == [f"Item {row['item']}" for row in served["items"]]


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_fits_has_names_and_can_be_read(serve, visit, recommender, width, scheme):
    page = visit(serve(), width, scheme)
    # Movements of colour are over at once.
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
    choose_user(page, recommender.users[0])
    page.locator("#ranking .row").nth(3).get_by_role("button", name="Buy").click()
    page.locator("#news", has_text="items moved").wait_for()
    page.locator("#ranking .row").nth(1).get_by_role("button", name="Why").click()
    page.locator("#why table").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(REPEATED) == []
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert [text for text, ratio in contrasts if ratio < 4.5] == []


def focused(page) -> str:
    return page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.id"
    )


def test_the_keyboard_alone_is_enough(serve, visit, recommender):
    page, user = visit(serve()), recommender.users[0]
    page.locator("#users button").first.wait_for()
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("one => one.matches(':focus-visible')")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Tab")
    assert focused(page) == "prefix"
    page.keyboard.type(user)
    page.get_by_role("button", name=f"User {user}", exact=True).wait_for()
    while focused(page) != f"User {user}":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#ranking .row").first.wait_for()
    while not (focused(page) or "").startswith("Buy "):
        page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2
    name = focused(page)
    page.keyboard.press("Enter")
    page.locator("#news", has_text="items moved").wait_for()
    # The row is another one by now, and the focus has gone with it.
    page.wait_for_timeout(100)
    assert focused(page) == name


def test_users_are_turned_page_by_page_and_time_moves_on(serve, visit, recommender):
    page = visit(serve())
    page.locator("#users button").first.wait_for()
    users = sorted(recommender.users)
    assert page.locator("#users button").all_inner_texts() == users[:10]
    page.get_by_role("button", name="Next").click()
    page.locator("#found", has_text=re.compile("^11")).wait_for()
    assert page.locator("#users button").all_inner_texts() == users[10:20]
    page.locator("#users button").first.click()
    page.locator("#ranking .row").first.wait_for()
    page.locator("#hours").evaluate(
        "one => { one.value = 480; one.dispatchEvent(new Event('input')); }"
    )
    page.locator("#news", has_text="Time moved").wait_for()
    later = recommender.last_time + recommender.clock.origin + 480 * 3600
    assert "20 days" in page.locator("#moment").inner_text()
    assert ranking(page) == recommender.recommend(users[10], at=later)["item"].tolist()


def test_what_is_written_of_items_is_text_and_nothing_else(serve, visit, recommender, after):
    evil = "<img src=x onerror=alert(1)>"
    recommender.add_items({"item": [evil], "brand": [evil]})
    recommender.observe(evil, evil, time=after, behavior="bid")
    page = visit(serve())
    choose_user(page, evil)
    assert evil in page.locator("#ranking").inner_text()
    assert page.locator("main img").count() == 0


def test_the_page_asks_for_the_key(serve, browser, recommender):
    page = browser.new_page()
    page.goto(serve(api_key=KEY))
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Use").click()
    page.locator("#users button").first.wait_for()
    assert page.locator("#key-form").is_hidden()
    page.close()


def test_a_replica_has_no_buttons_that_write(serve, visit, recommender):
    page = visit(serve(read_only=True))
    choose_user(page, recommender.users[0])
    assert page.locator("#ranking [data-act=why]").count() == 10
    assert page.locator("#ranking [data-act=buy]").count() == 0
