"""Faces of folders that load nothing before it is asked for (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Face = tuple[Callable[[str], Any], Callable[[], list[str]]]


def lazy_face(folder: str, *, rooms: str = "", **modules: str) -> Face:
    """Return the ``__getattr__`` and ``__dir__`` of a folder whose names are imported when first used.

    Parameters
    ----------
    folder : str
        ``__name__`` of the folder.
    rooms : str
        Folders within that are reached as attributes, separated by blanks.
    **modules : str
        The names that each module gives, separated by blanks; a dot in the name of a module is written as
        two underscores.

    Returns
    -------
    tuple of two functions

    Raises
    ------
    AttributeError
        When a name is asked for that the face does not hold.
    """
    origin = {name: module.replace("__", ".") for module, names in modules.items() for name in names.split()}
    inside = set(rooms.split())

    def give(name: str) -> Any:
        if name in inside:
            return import_module(f"{folder}.{name}")
        if name not in origin:
            raise AttributeError(f"module {folder!r} has no attribute {name!r}")
        return getattr(import_module(f"{folder}.{origin[name]}"), name)

    return give, lambda: sorted({*origin, *inside})
