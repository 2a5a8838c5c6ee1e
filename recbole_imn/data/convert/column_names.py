"""What the name of a column says of its cells: that they name something, or are times."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_IDS = re.compile(r"ids?|code|key|sku|ean|isbn|asin|gtin|upc|zip|plz|postcode|phone|category")
# Behind another word without anything between them: itemid, zipcode, productkey, subcategory.
_GLUED = re.compile(
    r"(.id|code|category|sku|isbn|postcode|telephone"
    r"|(item|product|user|article|primary|foreign|natural|surrogate|hash)key)$"
)
# Words that end as ids do and name nothing, also behind what bids and payments have before them.
_WORDS = re.compile(
    r"(pre|un|over|under|re|in|out|high|highest|low|lowest|max|min|last|first|start|amount|total)?"
    r"(bid|paid|valid|void|avoid|laid|said)|maid|raid|aid|solid|grid|covid|acid|fluid|rapid|rabid"
    r"|hybrid|kid|mid|lid|squid|humid|arid|liquid|rigid|vivid|android|steroid|asteroid|centroid"
    r"|sigmoid|pyramid|orchid|lipid|plasmid|tabloid|polaroid|thyroid|avid|lucid|placid|splendid"
    r"|candid|timid|stupid|acrid|morbid|florid|decode|encode"
)
# Columns that say whether there is a name, or how many.
_FLAGS = frozenset(("is", "has", "had", "was", "n", "num", "count"))
_TIMES = re.compile(r"(date|time|timestamp)$")
_TIMES_BEHIND = frozenset(("at", "on", "day"))
_TIMES_ALONE = frozenset(("day", "created", "updated", "listed"))


def words(name: str) -> list[str]:
    """Split a name into its words in small letters, without figures: ``categoryId2``, two."""
    return [word.lower() for word in _WORD.findall(name)]


def names_something(name: str) -> bool:
    """Whether whole numbers in a column of this name are names: ``itemid``, and not ``bid``."""
    found = words(name)
    if not found or (len(found) > 1 and found[0] in _FLAGS):
        return False
    last = found[-1]
    return bool(_IDS.fullmatch(last) or (_GLUED.search(last) and not _WORDS.fullmatch(last)))


def tells_time(name: str) -> bool:
    """Whether numbers in a column of this name may be times: ``created_at``, ``listedOn``."""
    found = words(name)
    if not found:
        return False
    is_behind = len(found) > 1 and found[-1] in _TIMES_BEHIND
    is_alone = len(found) == 1 and found[0] in _TIMES_ALONE
    return bool(_TIMES.search(found[-1])) or is_behind or is_alone
