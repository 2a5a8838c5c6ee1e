"""Tables packed by gzip, bzip2 and xz."""

import bz2
import gzip
import hashlib
import json
import lzma

import pytest

TEXT = "user,item,time\n" + "".join(f"u{k},i{k % 3},2024-04-{1 + k % 28:02d}\n" for k in range(90))
JSON = "".join(
    json.dumps(dict(zip(("user", "item", "time"), row.split(","), strict=True))) + "\n"
    for row in TEXT.splitlines()[1:]
)


WAYS = {"gzip": gzip, "bzip2": bz2, "xz": lzma}


@pytest.mark.parametrize(
    ("text", "way"), [(TEXT, "gzip"), (TEXT, "bzip2"), (TEXT, "xz"), (JSON, "bzip2")]
)
def test_a_packed_table_is_the_table(shop, text, way):
    items = "item,price\ni0,5\ni1,6\n"
    paths = {}
    for name, write in (("plain", lambda text: text), ("packed", lambda text: _packed(text, way))):
        log = shop.write(f"{name}.log", write(text))
        paths[name] = log
        shop.convert("csv", log, f"--items={shop.write(f'{name}.items', write(items))}", name=name)
    for suffix in ("inter", "item"):
        assert shop.rows(suffix, "plain") == shop.rows(suffix, "packed")
    about = shop.about("packed")["inputs"][1]
    data = paths["packed"].read_bytes()
    assert (about["bytes"], about["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("way", WAYS)
def test_parts_that_were_packed_and_put_together_are_one_table(shop, way):
    path = shop.write("log.csv.gz", _packed(TEXT[:500], way) + _packed(TEXT[500:], way))
    shop.convert("csv", path)
    assert len(shop.rows()) == 90


@pytest.mark.parametrize(
    ("data", "told"),
    [
        *((lambda _, way=way: _packed(TEXT, way)[:-20], "is damaged") for way in WAYS),
        *((lambda _, way=way: _broken(_packed(TEXT, way)), "is damaged") for way in WAYS),
        (lambda data: _packed(""), "the file is empty"),
        (lambda data: _packed(b"PAR1" + bytes(99)), "unpack it first"),
        (lambda data: _packed(b"PK\x03\x04" + bytes(99)), "is a zip archive"),
    ],
)
def test_what_cannot_be_unpacked_is_one_line(shop, data, told):
    assert told in shop.fail("csv", shop.write("log.csv.gz", data(_packed(TEXT))))
    assert shop.files() == {}


def test_a_table_may_begin_like_a_packed_file(shop):
    shop.convert("csv", shop.write("log.csv", "BZh9,item,time\na,b,2024-01-01\n"), "--user=BZh9")
    assert shop.rows()[0]["user_id"] == "a"


def _packed(text, way="gzip"):
    return WAYS[way].compress(text.encode() if isinstance(text, str) else text)


def _broken(data):
    return data[:40] + bytes(20) + data[60:]
