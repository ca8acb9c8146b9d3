"""A cohort as arrays, checked once at the edge: from here on no table travels and nobody reads it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.prediction.ratios import Ratios, read_ratios
from sudeck.statistics.arrays import BoolArray, FloatArray, binary_column, numeric_column, text_column

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["responder", "relief_percent"]
RESPONDER: Final = "responder"
RELIEF: Final = "relief_percent"


@dataclass(frozen=True)
class Column:
    """Any further column of a cohort, e.g. sex or duration.

    Attributes
    ----------
    words : tuple of str or None
        As typed; None where missing.
    numbers : array, shape (n,), or None
        NaN where missing; None where a cell is no number.
    """

    words: tuple[str | None, ...]
    numbers: FloatArray | None


@dataclass(frozen=True)
class Cohort:
    """Patients as arrays, one entry a patient.

    Attributes
    ----------
    ratios : Ratios
        With the identifiers.
    responder : array, shape (n,), or None
        1, 0, or NaN where not known; None where the table does not say.
    relief_percent : array, shape (n,), or None
        Higher is better; NaN where not known; None where the table does not say.
    columns : Mapping of str to Column
        What else is known.
    """

    ratios: Ratios
    responder: FloatArray | None
    relief_percent: FloatArray | None
    columns: Mapping[str, Column]

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiers of the patients."""
        return self.ratios.ids

    @property
    def scanned(self) -> BoolArray:
        """Whether any ratio of a patient is known, shape (n,)."""
        return np.asarray(np.isfinite(self.ratios.log_phases).any(axis=1))

    def outcome(self, name: Outcome) -> FloatArray:
        """Return response or relief, shape (n,).

        Raises
        ------
        InputError
            If the table does not have it.
        """
        values = self.responder if name == RESPONDER else self.relief_percent
        if values is None:
            raise _absent(name)
        return values

    def column(self, name: str) -> Column:
        """Return a further column.

        Raises
        ------
        InputError
            If the table does not have it.
        """
        if name not in self.columns:
            raise _absent(name)
        return self.columns[name]

    def numbers(self, name: str) -> FloatArray:
        """Return a further column as numbers, shape (n,).

        Raises
        ------
        InputError
            If the table does not have it, or a cell is no number.
        """
        column = self.column(name)
        if column.numbers is None:
            wrong = next(i for i, word in enumerate(column.words) if not _is_number(word))
            raise InputError(
                f"{self.ids[wrong]}, {name}",
                f"{column.words[wrong]!r} is not a number",
                "correct it or leave it empty",
            )
        return column.numbers

    def among(self, kept: BoolArray) -> Cohort:
        """Return the cohort of some of the patients.

        Parameters
        ----------
        kept : array of bool, shape (n,)
        """
        return replace(
            self,
            ratios=Ratios(
                tuple(np.array(self.ids, dtype=object)[kept].tolist()),
                self.ratios.log_phases[kept],
                self.ratios.log_error[kept],
            ),
            responder=None if self.responder is None else self.responder[kept],
            relief_percent=None if self.relief_percent is None else self.relief_percent[kept],
            columns={
                name: Column(
                    tuple(word for word, keep in zip(column.words, kept.tolist(), strict=True) if keep),
                    None if column.numbers is None else column.numbers[kept],
                )
                for name, column in self.columns.items()
            },
        )


def read_cohort(table: pd.DataFrame) -> Cohort:
    """Read a table of patients once, and refuse what is no ratio, no yes or no, and no relief.

    Parameters
    ----------
    table : DataFrame
        One row a patient: ``participant_id`` and the ratios as for `ratios.read_ratios`; ``responder``
        (yes/no) and ``relief_percent`` where known; any further column.

    Raises
    ------
    InputError
        If a cell does not hold what its column says.
    """
    return Cohort(
        read_ratios(table),
        binary_column(table, RESPONDER) if RESPONDER in table.columns else None,
        numeric_column(table, RELIEF) if RELIEF in table.columns else None,
        {str(name): _column(table, name) for name in table.columns},
    )


def _column(table: pd.DataFrame, name: str) -> Column:
    try:
        numbers: FloatArray | None = numeric_column(table, name)
    except InputError:
        numbers = None
    return Column(tuple(text_column(table, name)), numbers)


def _is_number(word: str | None) -> bool:
    try:
        return word is None or np.isfinite(float(word))
    except ValueError:
        return False


def _absent(name: str) -> InputError:
    return InputError(f"column {name}", "the table does not have it", "add it or name another column")
