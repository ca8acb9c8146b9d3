"""The error between sessions, read from people who were measured twice without treatment between."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.estimate import Scale
from sudeck.tms.change import MeasurementError, measurement_error
from sudeck.tms.signals.table_text import read_table_file

_COLUMNS: Final = ("measure", "first", "second")
# Measures whose errors add on their own scale; all others are ratios and amplitudes, and add as logarithms.
_LINEAR: Final = ("RMT", "AMT", "latency", "CSP", "iSP", "tracked", "S50", "MEPmax", "slope", "area")


def read_retest(path: Path) -> dict[str, MeasurementError]:
    """Read a table with the columns measure, first and second, one row a person and measure.

    Returns
    -------
    dict of str to MeasurementError
        By measure, on the scale on which Sudeck compares it: logarithm for amplitudes and ratios.

    Raises
    ------
    InputError
        If a column is missing, a cell is no number, or a measure has fewer than three people.
    """
    if not path.is_file():
        raise InputError(path.name, "there is no such file", "check the path")
    rows = read_table_file(path)
    missing = [name for name in _COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise InputError(
            path.name, f"it has no column {missing[0]}", "give the columns measure, first and second"
        )
    values: dict[str, tuple[list[float], list[float]]] = {}
    for number, row in enumerate(rows, start=1):
        first, second = values.setdefault(row["measure"].strip(), ([], []))
        for name, column in (("first", first), ("second", second)):
            try:
                value = float(row[name])
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise InputError(
                    path.name, f"column {name} of row {number} is no number", "correct or leave out the row"
                )
            column.append(value)
    errors = {}
    for measure, (first, second) in values.items():
        try:
            errors[measure] = measurement_error(first, second, scale=scale_of(measure), source=path.name)
        except InputError as error:
            raise InputError(path.name, f"{measure}: {error.problem}", error.remedy) from None
    return errors


def scale_of(measure: str) -> Scale:
    """Return the scale on which errors of a measure add.

    Examples
    --------
    >>> scale_of("SICI"), scale_of("RMT ML-PEST")
    ('log', 'linear')
    """
    return "linear" if any(word in measure for word in _LINEAR) else "log"
