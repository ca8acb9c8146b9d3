"""Onset latencies of a table of amplitudes: their unit, and what can be none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.missing import is_missing
from sudeck.tms.readers.parts.amplitude_columns import plain_heading
from sudeck.tms.signals.neutral_labels import quoted

LATENCY_HEADINGS: Final = ("latency", "onset_latency", "mep_latency", "lat", "latenz", "latence", "latencia")
# No response to a pulse of the cortex begins later, in no muscle.
_LATEST_MS: Final = 200.0


def latencies_in(
    records: Sequence[Mapping[str, str]], file: str
) -> tuple[NDArray[np.float64] | None, tuple[Flag, ...]]:
    """Return onset latencies in milliseconds, from a column in milliseconds or seconds; None without one.

    What can be no latency is left out, with a flag: a spreadsheet that takes 22.11 for a date keeps 45982.

    Raises
    ------
    InputError
        If a cell is no number.
    """
    column = next((name for name in records[0] if plain_heading(name) in LATENCY_HEADINGS), None)
    if column is None:
        return None, ()
    values = np.array([_number(record.get(column, ""), column, file) for record in records])
    finite = values[np.isfinite(values) & (values > 0)]
    # No MEP begins within a millisecond, and none after a second: the median tells seconds from milliseconds.
    in_seconds = finite.size > 0 and float(np.median(finite)) < 1.0
    latency = np.where(values > 0, values * (1e3 if in_seconds else 1.0), np.nan)
    late = latency > _LATEST_MS
    n = int(late.sum())
    if not n:
        return latency, ()
    text = (
        f"{n} of {latency.size} latencies in column {column} are above {_LATEST_MS:g} ms (up to "
        f"{latency[late].max():g}) and were left out: a spreadsheet may have taken them for dates."
    )
    return np.where(late, np.nan, latency), (
        Flag("latency-unlikely", text, "caution", value=float(n), limit=0.0, unit="trials"),
    )


def _number(cell: object, column: str, file: str) -> float:
    text = str(cell).strip()
    if is_missing(text):
        return math.nan
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InputError(
            file, f"{quoted(text)} in column {column} is no number", "correct the cell"
        ) from None
    return value if math.isfinite(value) else math.nan
