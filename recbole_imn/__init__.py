"""IMN-Net and the market of resource-limited goods, as a plugin of RecBole 1.2.1.

Importing the package mends RecBole for today's numpy, pandas and torch, and makes the
models, data sets, trainers and property files of the package known to it.
"""

from recbole_imn import compat

# RecBole can only be imported once it is mended, and the registry imports RecBole.
compat.apply()

from recbole_imn import registry  # noqa: E402
from recbole_imn.own_models import register_model  # noqa: E402

registry.register()

__version__ = "0.1.0"
__all__ = ["__version__", "compat", "register_model", "registry"]
