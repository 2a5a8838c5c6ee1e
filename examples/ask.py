"""Ask the checkpoint of ``train.py``, tell it something, ask again: ``python examples/ask.py``."""

from pathlib import Path

from recbole_imn.serving import Recommender

if __name__ == "__main__":
    shop = Recommender.load(
        max(Path("saved/examples").glob("*.pth"), key=lambda file: file.stat().st_mtime)
    )
    first = shop.recommend("a newcomer", k=3, candidates="on_shelf", attributes=["brand", "price"])
    print(first)
    shop.observe(
        "a newcomer",
        first["item"][2],
        time=shop.clock.text(shop.last_time),
        behavior=shop.behaviors[0],
    )
    print(shop.recommend("a newcomer", k=3, candidates="on_shelf", attributes=["brand", "price"]))
