"""Features of every kind, prepared in every way, and cells that come later."""

KEYS = ("event_features", "inventory_features", "item_features")
BUCKETS = {
    "price": {"method": "LD"},
    "paid": {"method": "ED", "bucket": 4},
    "image": {"method": "ED", "bucket": 3},
}
NUMERICAL = ["price", "paid", "image"]
CASES = {
    "plain": {},
    "normalised": {"normalize_all": True},
    "pairs": {"numerical_features": NUMERICAL},
    "discretised": {"numerical_features": NUMERICAL, "discretization": BUCKETS},
    "reduced": {"reduced_features": {"image": 1}, "normalize_field": ["image"]},
}


def cells_of_items(items):
    brand, price, genres, image = zip(*items, strict=True)
    return {
        "brand": brand,
        "price": [float(cell) if cell else None for cell in price],
        "genres": [cell.split() for cell in genres],
        "image": [[float(number) for number in cell.split()] for cell in image],
    }
