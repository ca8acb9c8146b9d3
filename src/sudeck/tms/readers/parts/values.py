"""Values of a file by name: vectors, numbers, texts, and columns with one value a trial."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.tms.readers.parts.sidecar import STATED
from sudeck.tms.signals.events import Given, given_by, knows_column, with_single_pulses
from sudeck.tms.signals.trials import Pulse
from sudeck.tms.signals.units import voltage_unit

Array = NDArray[np.float64]

INTENSITY = {"intensities", "intensity", "mso", "stim_intensity", "stimulus_intensity", "test_mso"}


def given_rows(columns: Mapping[str, Any], n_trials: int, path: Path) -> list[Given]:
    """Gather what per-trial columns tell, as an events table would.

    A column the events table does not know, but whose values repeat, becomes the condition: a laboratory
    that writes ``sici_intensity`` 50, 65, 80 means three conditions. What a sidecar states once holds for
    every trial; of single pulses, nothing that only pairs have.
    """
    stated = {name: f"{value}" for name, value in columns.get(STATED, {}).items()}
    of_pairs = {name for name, value in stated.items() if not _holds_for_single(name, value, path)}
    known: dict[str, list[str]] = {}
    conditions: list[tuple[str, list[str]]] = []
    for name, value in columns.items():
        cells = _cells(value, n_trials)
        if cells is None:
            continue
        if knows_column(name):
            known[name] = cells
        elif name.lower() in INTENSITY:
            known["test_mso"] = cells
        elif 1 < len(set(cells)) <= max(2, n_trials // 2):
            conditions.append((name, cells))
    columns_alone = [
        given_by({name: cells[i] for name, cells in known.items()}, path.name) for i in range(n_trials)
    ]
    intervals = any("isi_ms" in given for given in columns_alone)
    rows = []
    for i, by_row in enumerate(columns_alone):
        row = {name: cells[i] for name, cells in known.items()}
        single = by_row.get("kind") == "single" or (intervals and "isi_ms" not in by_row)
        given = given_by(
            row | {name: value for name, value in stated.items() if not (single and name in of_pairs)},
            path.name,
        )
        given = {key: item for key, item in given.items() if key in Pulse.__dataclass_fields__}
        if conditions:
            given.setdefault("condition", ", ".join(f"{name} {cells[i]}" for name, cells in conditions))
        rows.append(given)
    return with_single_pulses(rows)


def _holds_for_single(name: str, value: str, path: Path) -> bool:
    given = given_by({name: value}, path.name)
    return not {"isi_ms", "conditioning_mso", "conditioning_rmt", "conditioning_hemisphere"} & set(given)


def _cells(value: Any, n_trials: int) -> list[str] | None:
    """Return a per-trial column as texts, or ``None`` if the value is no such column."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size == n_trials > 1:
        return [f"{item:.10g}" for item in np.ravel(value)]
    if isinstance(value, list) and len(value) == n_trials and n_trials > 0:
        items = ["" if item is None else item for item in value]
        items = [np.squeeze(item).item() if np.size(item) == 1 else item for item in items]
        if all(isinstance(item, str | int | float) for item in items):
            return [f"{item:.10g}" if isinstance(item, float) else str(item) for item in items]
    return None


def first(lower: Mapping[str, Any], names: set[str]) -> Any:
    """Return the value under the first of `names` that is there, or ``None``."""
    return next((lower[name] for name in sorted(names) if name in lower), None)


def vector(value: Any) -> Array | None:
    """Return a list or array of more than one number along one axis as a vector."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return array.ravel() if array.size > 1 and array.size == max(array.shape) else None


def scalar(value: Any) -> float | None:
    """Return a value as one finite number, or ``None`` if it is none."""
    try:
        number = float(np.squeeze(value))
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def text(lower: Mapping[str, Any], names: set[str]) -> str:
    """Return the text under the first of `names` that holds one, or an empty text."""
    return next((lower[name].strip() for name in sorted(names) if isinstance(lower.get(name), str)), "")


def unit_in_name(name: str) -> str:
    """Read a unit from the end of a variable's name: ``emg_uV``."""
    last = re.split(r"[_\s]+", name)[-1]
    return last if last != name and voltage_unit(last) else ""
