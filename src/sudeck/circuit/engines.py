"""Which engine runs the circuit: Numba on a processor, JAX on a graphics card, NumPy without either."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from sudeck.core.errors import MissingDependencyError

Engine = Literal["numba", "jax", "numpy"]


def require_engine(engine: Engine | None = None) -> None:
    """Raise a sentence that says what to install where an engine is absent.

    Parameters
    ----------
    engine : {"numba", "jax", "numpy"}, optional
        Either of the fast ones unless given.

    Raises
    ------
    MissingDependencyError
    """
    for name in ("numba", "jax") if engine is None else (engine,):
        try:
            import_module(name)
        except ImportError:
            continue
        return
    raise MissingDependencyError("The fast circuit", "circuit")


def default_engine() -> Engine:
    """Return ``"jax"`` where JAX sees a graphics card, else the first of Numba, JAX and NumPy installed."""
    jax = find_spec("jax") is not None
    if jax and _sees_graphics_card():
        return "jax"
    if find_spec("numba") is not None:
        return "numba"
    return "jax" if jax else "numpy"


@cache
def _sees_graphics_card() -> bool:
    # JAX takes a second to load: ask it only where the driver of a card is there.
    if not (Path("/dev/nvidia0").exists() or Path("/dev/kfd").exists()):
        return False
    import jax

    return bool(jax.default_backend() != "cpu")
