"""The example files do what they say, and a newcomer's commands work as the README has them."""

from pathlib import Path

import yaml

from recbole_imn.data.dataset import IMNNetDataset

EXAMPLES = Path(__file__).parents[3] / "dataset_configs" / "examples"
LOG = "customer;product;when;action;amount;brand\n" + "".join(
    f"u{row % 5};p{row % 7};2024-03-0{1 + row // 20} 1{row % 10}:00:00;{1 + (row % 9 == 0)};"
    f"{row};b{row % 7 % 2}\n"
    for row in range(120)
)
ITEMS = "product;category;kg;from;until\n" + "".join(
    f"p{item};c{item % 3};{item};2024-02-01 00:00:00;2024-04-01 00:00:00\n" for item in range(7)
)


def test_the_example_of_a_mapping_and_of_settings_fit_together(shop, toy, make_config):
    shop.convert(
        "csv",
        shop.write("log.csv", LOG),
        f"--items={shop.write('items.csv', ITEMS)}",
        f"--mapping={EXAMPLES / 'my-log.mapping.yaml'}",
    )
    assert shop.about()["time_zone"] == "Europe/Berlin"
    assert shop.header("item") == (
        "item_id:token\tbrand:token\tcategory:token\tweight:float\t"
        "listed_at:float_seq\tdelisted_at:float_seq"
    )
    settings = yaml.safe_load((EXAMPLES / "my-log.yaml").read_text())
    config = make_config("IMNNet", dataset="set", data_path=str(shop.output), **settings)
    dataset = IMNNetDataset(config)
    dataset._change_feat_format()
    assert dataset.log.features.shape == (120, 1)
    assert dataset.log.purchase.sum() == 14
    # Two brands, three categories and their paddings, and the weight.
    assert dataset.item_features.shape == (8, 3 + 4 + 1)


def test_an_items_table_without_a_mapping_gives_its_columns(shop):
    path = shop.write("log.csv", LOG)
    items = shop.write("items.csv", ITEMS.replace("from;until", "listed_at;delisted_at"))
    shop.convert(
        "csv", path, f"--items={items}", "--user=customer", "--item=product", "--time=when"
    )
    first = shop.rows("item")[0]
    assert (first["category"], first["kg"]) == ("c0", "0")
    assert float(first["listed_at"]) == -29 * 86_400
