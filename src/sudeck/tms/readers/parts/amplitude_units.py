"""Units of a column of amplitudes, and the amplitudes that a muscle can have."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.readers.base import Hints
from sudeck.tms.signals.neutral_labels import reduced
from sudeck.tms.signals.units import MILLIVOLTS_PER_UNIT, voltage_unit

# Median response of a table of trials; a factor of a thousand wide, so that one unit fits.
_USUAL_MEDIAN_MV: Final = (0.01, 10.0)
# Noise alone is no less than 4 µV from peak to peak, the largest response of a muscle 30 mV.
_POSSIBLE_MEDIAN_MV: Final = (0.004, 30.0)
_LARGEST_MV: Final = 50.0


def millivolts_per_unit(
    amplitudes: NDArray[np.float64], column: str, label: str, hints: Hints
) -> tuple[float, tuple[Flag, ...]]:
    """Return millivolts per unit of the column: stated by a person, by its heading, or by its median.

    Parameters
    ----------
    amplitudes : ndarray
        As written, NaN where there is none.
    column, label : str
        Names of column and file, for messages.
    hints : Hints

    Raises
    ------
    InputError
        If nothing says the unit and the median fits several or none, or the heading names an impossible one.

    Examples
    --------
    >>> millivolts_per_unit(np.array([310.0, 820.0]), "MEP", "a.csv", Hints())[0]
    0.001
    """
    unit = hints.unit_of(column)
    if unit is not None and voltage_unit(unit):
        return MILLIVOLTS_PER_UNIT[voltage_unit(unit) or ""], ()
    words = [word for word in re.split(r"[^A-Za-zµ]+", column) if word]
    named = voltage_unit(words[-1]) if len(words) > 1 else None
    positive = amplitudes[np.isfinite(amplitudes) & (amplitudes > 0)]
    median = float(np.median(positive)) if positive.size else math.nan
    if named is not None:
        factor = MILLIVOLTS_PER_UNIT[named]
        if math.isnan(median) or _POSSIBLE_MEDIAN_MV[0] <= median * factor <= _POSSIBLE_MEDIAN_MV[1]:
            return factor, ()
    fitting = [
        name
        for name, factor in MILLIVOLTS_PER_UNIT.items()
        if name != "nv" and _USUAL_MEDIAN_MV[0] <= median * factor < _USUAL_MEDIAN_MV[1]
    ]
    if named is not None or len(fitting) != 1:
        said = "names no unit" if named is None else f"names {words[-1]}, which can not be"
        raise InputError(
            label,
            f"column {reduced(column)} {said}, and its median of {median:.3g} does not settle it",
            "write the unit into the heading, for example amplitude_mv",
        )
    name = {"v": "V", "mv": "mV", "uv": "uV"}[fitting[0]]
    flag = Flag(
        "unit-inferred",
        f"Column {reduced(column)} names no unit; a median of {median:.3g} fits {name} alone and was taken "
        "as that.",
        "caution",
        reduced(column),
        value=median,
    )
    return MILLIVOLTS_PER_UNIT[fitting[0]], (flag,)


def refuse_large(amplitudes: NDArray[np.float64], factor: float, label: str) -> None:
    """Refuse an amplitude that no muscle gives, in millivolts, naming its row."""
    if np.any(amplitudes > _LARGEST_MV):
        row = int(np.flatnonzero(amplitudes > _LARGEST_MV)[0])
        raise InputError(
            label,
            f"the amplitude in row {row + 1}, {amplitudes[row] / factor:g}, is {amplitudes[row]:g} mV: no "
            "muscle gives that",
            "leave the cell of a trial without amplitude empty, or correct it or the unit in the heading",
        )
