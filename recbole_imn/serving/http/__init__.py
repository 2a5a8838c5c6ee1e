"""The recommender over HTTP, and a page to try it on."""

from recbole_imn.serving.http.app import make_app
from recbole_imn.serving.http.holder import Holder
from recbole_imn.serving.http.settings import HttpSettings

__all__ = ["Holder", "HttpSettings", "make_app"]
