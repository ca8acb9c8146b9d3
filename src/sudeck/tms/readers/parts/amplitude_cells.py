"""Cells of a column of amplitudes: numbers, limits (``<0.05``), units in the cell, words for nothing seen."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.missing import is_missing
from sudeck.tms.signals.neutral_labels import quoted
from sudeck.tms.signals.units import MILLIVOLTS_PER_UNIT, voltage_unit

_CELL: Final = re.compile(
    r"(?P<sign>[<>≤≥]=?)?\s*(?P<number>[-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(?P<unit>[a-zµμ]*)", re.I
)
# A response was looked for and not seen: as good as a zero.
_NOT_SEEN: Final = re.compile(
    r"(no|none|absent|without|kein|pas de|sin)?\s*(mep|pem|response|resp|reponse|réponse|antwort|respuesta)"
    r"|no|absent|nr|n\.r\.|n\.d\.|nd|bdl|bld|lod|<\s*lod|subthreshold"
    r"|below( detection| threshold| noise)?( limit| floor)?",
    re.IGNORECASE,
)
# The trial was thrown away before; Excel's own errors hold nothing either.
_LEFT_OUT: Final = re.compile(
    r"exclu\w*|reject\w*|artefact\w*|artifact\w*|bad|x|missing|fehlt|invalid|#[A-Z/0-9!?]+", re.IGNORECASE
)
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")
_MOST_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class AmplitudeCells:
    """What a column of amplitudes says, in the unit of its heading, or in millivolts where cells name units.

    Attributes
    ----------
    values : ndarray, shape (n,)
        NaN where there is none; zero where no response was seen, or the cell says below a limit.
    below : ndarray, shape (n,)
        That limit; NaN elsewhere.
    in_millivolts : bool
        Whether the cells named their units, so that all of them are millivolts now.
    flags : tuple of Flag
    """

    values: NDArray[np.float64]
    below: NDArray[np.float64]
    in_millivolts: bool
    flags: tuple[Flag, ...]


def read_cells(cells: Sequence[str], column: str, label: str) -> AmplitudeCells:
    """Read a column of amplitudes.

    Parameters
    ----------
    cells : sequence of str
        In order of the rows.
    column, label : str
        Names of column and file, for messages.

    Raises
    ------
    InputError
        Once for all cells that are no amplitude, with their rows.

    Examples
    --------
    >>> found = read_cells(["1.2", "< 0,05", "no MEP", "n/a"], "amplitude_mv", "a.csv")
    >>> found.values.tolist(), found.below.tolist()[1]
    ([1.2, 0.0, 0.0, nan], 0.05)
    """
    n = len(cells)
    values, below, factors = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    wrong: dict[str, list[int]] = {}
    above: list[str] = []
    comma_groups = _commas_are_thousands(cells)
    for row, cell in enumerate(cells):
        text = str(cell).strip()
        if is_missing(text) or _LEFT_OUT.fullmatch(text):
            continue
        if _NOT_SEEN.fullmatch(text):
            values[row] = 0.0
            continue
        match = _CELL.fullmatch(text)
        unit = voltage_unit(match["unit"]) if match and match["unit"] else None
        number = _number(match["number"], comma_groups) if match else math.nan
        if match is None or (match["unit"] and unit is None) or math.isnan(number):
            wrong.setdefault(quoted(text), []).append(row + 1)
            continue
        if number < 0:
            wrong.setdefault(f"{quoted(text)} (negative)", []).append(row + 1)
            continue
        if unit is not None:
            factors[row] = MILLIVOLTS_PER_UNIT[unit]
        sign = match["sign"] or ""
        if sign[:1] in {"<", "≤"}:
            values[row], below[row] = 0.0, number
        else:
            values[row] = number
            above += [text] if sign else []
    if wrong:
        raise _no_amplitudes(wrong, column, label)
    numbers = np.isfinite(below) | (values > 0)
    named = np.isfinite(factors)
    if named.any() and not named[numbers].all():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(numbers & ~named)[:_MOST_NAMED])
        raise InputError(
            label,
            f"some cells of column {column} name their unit and others (rows {rows}) do not",
            "write the unit into the heading, and numbers alone into the cells",
        )
    if named.any():
        factors[~named] = 1.0
        values, below = values * factors, below * factors
    return AmplitudeCells(
        values, below, bool(named.any()), _limit_flags(below, above, column, bool(named.any()))
    )


def _commas_are_thousands(cells: Sequence[str]) -> bool:
    """Tell thousands from decimals: by a cell that has both marks, else by what the other cells look like."""
    texts = [re.sub(r"[<>≤≥=\s]|[a-zµμ]+$", "", str(cell), flags=re.I) for cell in cells]
    if any(re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+\.\d+", text) for text in texts):
        return True
    with_comma = [text for text in texts if "," in text]
    plain = [text for text in texts if re.fullmatch(r"\d{3}", text)]
    return bool(with_comma and plain) and all(_THOUSANDS.fullmatch(text) for text in with_comma)


def _number(text: str, comma_groups: bool) -> float:
    if comma_groups:
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." in text and text.index(".") < text.index(","):
        text = text.replace(".", "").replace(",", ".")
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _no_amplitudes(wrong: dict[str, list[int]], column: str, label: str) -> InputError:
    given = [
        f"{text} in row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:_MOST_NAMED]))}"
        + (" …" if len(rows) > _MOST_NAMED else "")
        for text, rows in list(wrong.items())[:_MOST_NAMED]
    ]
    n = sum(map(len, wrong.values()))
    return InputError(
        label,
        f"{n} cell{'s' if n > 1 else ''} of column {column} {'are' if n > 1 else 'is'} no amplitude from "
        f"peak to peak: {'; '.join(given)}",
        "leave the cell of a trial without amplitude empty, write 0 or <0.05 where no response was seen",
    )


def _limit_flags(
    below: NDArray[np.float64], above: Sequence[str], column: str, in_millivolts: bool
) -> tuple[Flag, ...]:
    flags = []
    limits = np.unique(below[np.isfinite(below)])
    if limits.size:
        given = ", ".join(f"<{limit:g}{' mV' if in_millivolts else ''}" for limit in limits[:_MOST_NAMED])
        n = int(np.isfinite(below).sum())
        text = (
            f"{n} of {below.size} amplitudes are given as below a limit ({given}): they count as below it, "
            "not as zero and not as the limit."
        )
        flags.append(Flag("amplitudes-below-limit", text, "info", column, float(n), unit="trials"))
    if above:
        text = (
            f"{len(above)} amplitudes are given as above a limit ({above[0]}): they were taken as the "
            "limit, so that means of them are too low."
        )
        flags.append(
            Flag("amplitudes-above-limit", text, "caution", column, float(len(above)), unit="trials")
        )
    return tuple(flags)
