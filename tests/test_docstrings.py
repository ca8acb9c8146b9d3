"""The numbers printed in docstrings are what the code gives."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import sudeck

MODULES = sorted(module.name for module in pkgutil.walk_packages(sudeck.__path__, "sudeck."))


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"needs {error.name}, which comes with an extra")
    assert doctest.testmod(module).failed == 0
