"""From table columns to checked arrays, with errors that name the column."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_TRUE = {"1", "1.0", "true", "yes", "y"}
_FALSE = {"0", "0.0", "false", "no", "n"}
_BLOCK: Final = 1 << 19  # numbers an array of one block holds: 4 MB, a few of which stay near the processor


def blocks(rows: int, row_size: int) -> Iterator[slice]:
    """Yield slices that part a stack into blocks, so that what is made of it never lies in memory at once.

    Parameters
    ----------
    rows : int
        Of the stack.
    row_size : int
        Numbers in the largest array that is made of one row.

    Examples
    --------
    >>> list(blocks(5, 1 << 18))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = max(_BLOCK // max(row_size, 1), 1)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def numeric_column(table: pd.DataFrame, column: str) -> FloatArray:
    """Return one column as floats, missing values as NaN.

    Raises
    ------
    InputError
        If the column is absent, or holds something that is neither a finite number nor missing.
    """
    cells = _cells(table, column)
    if table[column].dtype == np.float64 and not np.isinf(table[column].to_numpy()).any():
        return table[column].to_numpy(dtype=np.float64, copy=True)
    values = [_number(value, column, row) for row, value in cells]
    return np.array(values, dtype=np.float64)


def binary_column(table: pd.DataFrame, column: str) -> FloatArray:
    """Return one yes/no column as 1, 0 and NaN (missing).

    Raises
    ------
    InputError
        If the column is absent or holds anything that is not plainly yes, no or missing.
    """
    values = []
    for row, value in _cells(table, column):
        text = str(value).strip().lower()
        if text in MISSING:
            values.append(np.nan)
        elif text in _TRUE or text in _FALSE:
            values.append(1.0 if text in _TRUE else 0.0)
        else:
            raise InputError(
                f"column {column}, row {row}",
                f"{value!r} is neither yes nor no",
                "use 1, 0 or leave it empty",
            )
    return np.array(values, dtype=np.float64)


def text_column(table: pd.DataFrame, column: str) -> list[str | None]:
    """Return one column as stripped text, missing values as ``None``."""
    texts = (str(value).strip() for _, value in _cells(table, column))
    return [None if text.lower() in MISSING else text for text in texts]


def paired(x: ArrayLike, y: ArrayLike, *, least: int, subject: str) -> tuple[FloatArray, FloatArray]:
    """Return the pairs of `x` and `y` in which neither is missing.

    Raises
    ------
    InputError
        If the two differ in length, or fewer than `least` pairs are complete.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(
            subject, f"{first.shape} and {second.shape} values do not pair", "give two columns of one table"
        )
    complete = np.isfinite(first) & np.isfinite(second)
    if int(complete.sum()) < least:
        raise InputError(
            subject,
            f"only {int(complete.sum())} patients have both values",
            f"at least {least} are needed",
        )
    return first[complete], second[complete]


def both_classes(outcome: ArrayLike, *, subject: str) -> FloatArray:
    """Return a 0/1 outcome in which both classes occur.

    Raises
    ------
    InputError
        If a value is neither 0 nor 1, or all patients have the same outcome.
    """
    values = np.asarray(outcome, dtype=np.float64)
    if values.ndim != 1 or not np.isin(values, (0.0, 1.0)).all():
        raise InputError(subject, "the outcome is not a list of 0 and 1", "drop missing outcomes first")
    if len(values) == 0:
        raise InputError(
            subject, "no patient has an outcome", "a comparison needs responders and non-responders"
        )
    if values.min(initial=1.0) == values.max(initial=0.0):
        raise InputError(
            subject, "every patient has the same outcome", "a comparison needs responders and non-responders"
        )
    return values


def patient_ids(table: pd.DataFrame, column: str = "participant_id") -> list[str]:
    """Return the patient identifiers, which must exist and be unique.

    Raises
    ------
    InputError
        If the column is absent, an identifier is missing, or one occurs twice.
    """
    ids = text_column(table, column)
    if any(value is None for value in ids):
        raise InputError(f"column {column}", "a row has no identifier", "give every patient one")
    names = [value for value in ids if value is not None]
    twice = _first_repeated(names)
    if twice is not None:
        raise InputError(f"column {column}", f"{twice} occurs twice", "give one row a patient")
    return names


def _cells(table: pd.DataFrame, column: str) -> Iterable[tuple[int, Any]]:
    if column not in table.columns:
        raise InputError(f"column {column}", "the table does not have it", "add it or name another column")
    return enumerate(table[column].tolist(), start=1)


def _number(value: object, column: str, row: int) -> float:
    if str(value).strip().lower() in MISSING:
        return float("nan")
    try:
        number = float(str(value))
    except ValueError:
        number = float("inf")
    if not np.isfinite(number):
        raise InputError(
            f"column {column}, row {row}", f"{value!r} is not a number", "correct it or leave it empty"
        )
    return number


def _first_repeated(names: Iterable[Hashable]) -> Hashable | None:
    seen: set[Hashable] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
