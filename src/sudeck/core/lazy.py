"""Faces of folders that load nothing before it is asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_face(folder: str, **modules: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a folder whose names are imported when first used.

    Parameters
    ----------
    folder : str
        ``__name__`` of the folder.
    **modules : str
        The names that each module gives, separated by blanks; dots of a module's name as two underscores.
        A module with no names is itself the name.
    """
    origin = {name: module for module, names in modules.items() for name in names.split() or [module]}

    def getattribute(name: str) -> Any:
        if name not in origin:
            raise AttributeError(f"module {folder!r} has no attribute {name!r}")
        module = import_module(f"{folder}.{origin[name].replace('__', '.')}")
        value = module if origin[name] == name else getattr(module, name)
        setattr(sys.modules[folder], name, value)
        return value

    return getattribute, lambda: sorted(origin)
