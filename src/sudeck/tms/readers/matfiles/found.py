"""How structs, texts and numbers are taken out of an export to MATLAB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def structs_in(value: Any) -> list[Mapping[str, Any]]:
    """Return a struct array as a list; HDF5 keeps one list a field, older files one struct an element."""
    if isinstance(value, dict):
        lists = {name: item for name, item in value.items() if isinstance(item, list)}
        if not lists:
            return [value]
        length = max(len(item) for item in lists.values())
        return [{name: item[i] for name, item in lists.items() if i < len(item)} for i in range(length)]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts_in(value: Any) -> list[str]:
    """Return one text or several as a list."""
    if isinstance(value, str):
        return [value.strip()]
    return [str(item).strip() for item in value] if isinstance(value, list) else []


def number_in(value: Any) -> float:
    """Return an array of one element as a number."""
    return float(np.squeeze(np.asarray(value, dtype=np.float64)))
