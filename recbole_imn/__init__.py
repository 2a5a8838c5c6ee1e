"""IMN-Net and the market of resource-limited goods, as a plugin of RecBole 1.2.1.

Importing the package mends RecBole for today's numpy, pandas and torch, and makes the
models, data sets, trainers and property files of the package known to it.
"""

import sys
from pathlib import Path

from recbole_imn import compat
from recbole_imn.errors import MissingRecBoleError

# RecBole can only be imported once it is mended, and the registry imports RecBole.
try:
    compat.apply()
except MissingRecBoleError as error:
    # A command has not begun yet; Python calls one -m until it has found it.
    if Path((sys.argv or [""])[0]).stem not in ("-m", "recbole-imn", "run_recbole_imn"):
        raise
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

from recbole_imn import registry
from recbole_imn.own_models import register_model

registry.register()

__version__ = "0.2.0"
__all__ = ["__version__", "compat", "register_model", "registry"]
