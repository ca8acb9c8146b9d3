"""What an export to MATLAB comes down to, and how its structs, texts and numbers are taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.tms.signals.recording import Marker


@dataclass(frozen=True)
class ExportedFrame:
    """One frame as the file holds it.

    Attributes
    ----------
    samples : sequence of ndarray
        One array a channel.
    start_s : float or None
        When it was taken, if the file says.
    label : str
        State or condition.
    first_x_s : float
        Time of its first sample on the frame's own axis: negative where sampling began before the trigger.
    duration_s : float
    """

    samples: Sequence[NDArray[np.float64]]
    start_s: float | None
    label: str
    first_x_s: float
    duration_s: float


# Format, names, units and rates of channels, frames, markers.
Found = tuple[str, list[str], list[str], list[float], list[ExportedFrame], list[Marker]]


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
