"""What the commands of each page find, and in which small form they run."""

from __future__ import annotations

from dataclasses import dataclass, field

# An epoch is enough where a page names none.
ONE_EPOCH = (
    r"((?:run_recbole_imn\.py|recbole_imn run) --model=\w+ --dataset=[\w-]+)(?![\w-])(?!.*--epoch)"
)


@dataclass(frozen=True)
class Setup:
    """How a page is run.

    Attributes
    ----------
    before : str
        Commands of the shell that make what the page takes for granted.
    changes : mapping of str to str
        What stands in its commands and code, and what is run in its place.
    between : str
        Commands between the page's and its code in Python.
    """

    before: str = ""
    changes: dict[str, str] = field(default_factory=dict)
    between: str = ""


SHOP = "python examples/shop/make_shop.py --rows=2000"
SMALLER = {"--rows": "--rows", '"epochs": 5': '"epochs": 1'}
BENCHMARK = "--models=RecentHistory,LastItem --seeds=1 --epochs=1"
SMALL_STUDY = "--minutes=0.02 --trials=1 --train_events=2000 --valid_rows=200"
NEW_EVENTS = """printf 'user,item,time,behavior\\n' > new.csv
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
  printf '%d,%d,2019-11-0%dT10:%d:00Z,bid\\n' $n $((2 * n)) $((1 + n / 5)) $((10 + n)) >> new.csv
done
mkdir -p saved && cp small.pth saved/IMNNetPlus.pth
"""
READY = (
    "curl -sf -o ready.txt --retry 100 --retry-delay 1 --retry-all-errors "
    "http://127.0.0.1:8000/ready"
)
SETUPS = {
    "README.md": Setup(
        SHOP,
        {
            "--dataset=shop ": "--dataset=shop --epochs=1 --embedding_size=16 ",
            '"epochs": 5': '"epochs": 1',
            "serve shop.pth --journal=shop.journal ": (
                f"serve shop.pth --journal=shop.journal --port=8000 &\n{READY}\nkill $!; wait "
            ),
        },
    ),
    "docs/start.md": Setup(
        changes={"--dataset=czb ": "--dataset=czb-mini ", '"epochs": 5': '"epochs": 1'},
        between="cp $(ls saved/IMNNet-*.pth | head -n 1) saved/IMNNet.pth",
    ),
    "docs/http.md": Setup(
        changes={
            "--journal journal.db &": f"--journal journal.db --port=8000 > serve.txt &\n{READY}"
        }
    ),
    "docs/benchmark.md": Setup(
        changes={"--seeds=2 --epochs=3 --candidates=both": f"{BENCHMARK} --candidates=both"}
    ),
    "docs/tuning.md": Setup(
        changes={
            "tune --model=SASRec": f"tune --model=SASRec {SMALL_STUDY}",
            "--models=SASRec --seeds=1": "--models=SASRec --seeds=1 --epochs=1",
        }
    ),
    "docs/market.md": Setup(changes={"simulate czb ": "simulate czb --scale=0.02 "}),
    "docs/updating.md": Setup(NEW_EVENTS, between="rm saved/IMNNetPlus-updated*"),
    "docs/explaining.md": Setup(
        "mkdir saved && cp small.pth saved/IMNNetPlus.pth", {'"u3"': '"17"', '"i2"': '"42"'}
    ),
    "docs/limited_stock.md": Setup("mkdir saved && cp small.pth saved/IMNNetPlus.pth"),
    "docs/journal.md": Setup(
        "mkdir saved shop && cp small.pth saved/model.pth && cp small.pth saved/newer.pth",
        {'"bike"': '"42"'},
    ),
}
