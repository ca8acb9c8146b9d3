"""Which engine runs the circuit: Numba where it is installed, NumPy without it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Literal

from sudeck.core.errors import MissingDependencyError

Engine = Literal["numba", "numpy"]


def require_engine() -> None:
    """Raise a sentence that says what to install where the fast engine is absent.

    Raises
    ------
    MissingDependencyError
    """
    try:
        import_module("numba")
    except ImportError:
        raise MissingDependencyError("The fast circuit", "circuit") from None


def default_engine() -> Engine:
    """Return ``"numba"`` where it is installed, else ``"numpy"``."""
    return "numpy" if find_spec("numba") is None else "numba"
