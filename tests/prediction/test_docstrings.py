"""The numbers printed in the docstrings of this room are what the code gives."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import sudeck.prediction

MODULES = sorted(module.name for module in pkgutil.iter_modules(sudeck.prediction.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"sudeck.prediction.{name}")
    assert doctest.testmod(module).failed == 0
