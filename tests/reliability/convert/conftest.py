"""The workshop of the converters' own tests."""

from tests.data.convert.conftest import shop

__all__ = ["shop"]
