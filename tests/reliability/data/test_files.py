"""Headers and columns of atomic files."""

import json

import pytest

from recbole_imn.__main__ import main
from recbole_imn.errors import DataError
from tests.conftest import random_rows, write_log
from tests.reliability.logs import (
    COLUMNS,
    HEADER,
    RICH,
    RICH_HEADER,
    rich_items,
    rich_rows,
    scores_of,
    train,
    write_items,
    write_rich,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id:token\tprice:float\ni1\t1\n", r"no column item_id; the header has \['id', 'price'\]"),
        ("item_id:float\tprice:float\n1\t1\n", "item_id must be a column item_id:token, not item_"),
        ("item_id:token\tprice:float\ni1\t1\n\t2\n", "line 3: item_id is empty"),
        ("item_id:token\tprice:float\n", "a header but no rows"),
        ("item_id:token\tprice:float\ni1\n", "line 2: 1 columns, but the header has 2"),
    ],
)
def test_item_files_that_say_nothing_are_refused(prepare, toy, text, message):
    (toy / "toy" / "toy.item").write_text(text)
    columns = {"inter": COLUMNS, "item": ["item_id", "price"]}
    with pytest.raises(DataError, match=message) as error:
        prepare("IMNNet", load_col=columns, item_features=["price"])
    assert "toy.item" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("purchase:float", "purchase:token", "purchase must be a column purchase:float of 0 and 1"),
        ("behavior:token", "behavior:token_seq", "behavior must be a column behavior:token, not"),
        ("timestamp:float", "timestamp:token", "timestamp must be a column timestamp:float"),
        ("user_id:token", "session_id:token", r"no column user_id; the header has \['session_id'"),
    ],
)
def test_columns_of_a_wrong_type_are_named_with_it(prepare, toy, capsys, old, new, message):
    write_log(toy, "typed", random_rows(), HEADER.replace(old, new))
    with pytest.raises(DataError, match=message):
        prepare("IMNNet", dataset="typed")
    assert main(["describe", "typed", f"--data_path={toy}"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_columns_may_have_other_names_everywhere(prepare, toy, capsys):
    header, listed = (
        RICH_HEADER,
        "item_id:token\tbrand:token\tprice:float\tgenres:token_seq\timage:float_seq",
    )
    for old, new in (("user_id", "session_id"), ("item_id", "sku"), ("timestamp", "when")):
        header, listed = header.replace(old, new), listed.replace(old, new)
    write_rich(toy, "usual")
    write_log(toy, "renamed", [tuple(row) for row in rich_rows()], header)
    write_items(toy, "renamed", rich_items(), listed)
    names = {"USER_ID_FIELD": "session_id", "ITEM_ID_FIELD": "sku", "TIME_FIELD": "when"}
    # What is needed is loaded, whatever load_col says.
    columns = {"inter": RICH["load_col"]["inter"], "item": ["brand", "price", "genres", "image"]}
    losses = []
    for data, options in (("usual", RICH), ("renamed", {**RICH, **names, "load_col": columns})):
        _, _, (training, _, test), model = prepare("IMNNetPlus", dataset=data, **options)
        losses.append((train(model, training), scores_of(model, test._dataset).tolist()))
    assert losses[0] == losses[1]
    settings = toy / "names.yaml"
    settings.write_text("".join(f"{key}: {value}\n" for key, value in names.items()))
    command = ["describe", "renamed", f"--data_path={toy}", f"--config_files={settings}"]
    assert main(command) == 0
    report = json.loads((toy / "renamed" / "renamed.report.json").read_text())
    assert report["size"]["actions"] == 300
    capsys.readouterr()
