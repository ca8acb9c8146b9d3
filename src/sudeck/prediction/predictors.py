"""From a cohort table to the predictors of a model: two log ratios, and what was declared beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.prediction.ratios import INDEPENDENT_RATIOS, read_ratios, with_known_error
from sudeck.statistics.arrays import BoolArray, FloatArray, numeric_column, text_column

if TYPE_CHECKING:
    import pandas as pd

Transform = Literal["none", "log", "category"]
RATIO_NAMES: Final = tuple(f"log {ratio}" for ratio in INDEPENDENT_RATIOS)


@dataclass(frozen=True, slots=True)
class Covariate(Record):
    """A predictor beside the ratios, declared before the outcome is looked at.

    Attributes
    ----------
    column : str
        In the cohort table.
    transform : {"none", "log", "category"}
        Natural logarithm for durations; categories become 0/1 columns.
    levels : tuple of str
        Of a category; the first is the reference.
    """

    column: str
    transform: Transform = "none"
    levels: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the model columns this covariate gives."""
        if self.transform == "category":
            return tuple(f"{self.column}={level}" for level in self.levels[1:])
        return (f"log {self.column}" if self.transform == "log" else self.column,)


@dataclass(frozen=True)
class Predictors:
    """Predictors of a cohort, missing values as NaN.

    Attributes
    ----------
    ids : tuple of str
    names : tuple of str
        ``"log BPr/TPr"``, ``"log TPr/VPr"``, then the covariates.
    values : array, shape (n, k)
    error : array, shape (n, k, k)
        Covariance of the measurement error; zero for covariates.
    error_known : array of bool, shape (n,)
        Where it is not, the error was taken as the mean of the others.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: FloatArray
    error: FloatArray
    error_known: BoolArray


def declare_covariates(table: pd.DataFrame, declared: Sequence[str]) -> tuple[Covariate, ...]:
    """Turn declarations such as ``"log duration_months"`` or ``"limb"`` into covariates of this table.

    A column that holds only numbers enters as it is, or as its logarithm if declared so; any other column is
    a category whose levels are taken in alphabetical order, the first being the reference.

    Raises
    ------
    InputError
        If a column is absent, a category does not vary, or has so many levels that it is no category.
    """
    return tuple(_declared(table, text) for text in declared)


def read_predictors(
    table: pd.DataFrame, covariates: Sequence[Covariate], *, with_error: bool = True
) -> Predictors:
    """Read the two log ratios and the covariates of every patient.

    Parameters
    ----------
    table : DataFrame
        As for `ratios.read_ratios`, with the columns of `covariates`.
    covariates : sequence of Covariate
    with_error : bool
        Whether to carry the measurement error of the ratios; else it counts as none.

    Raises
    ------
    InputError
        If a value does not fit its declaration.
    """
    ratios = read_ratios(table)
    columns = [ratios.log_values(name) for name in INDEPENDENT_RATIOS]
    names = list(RATIO_NAMES)
    for covariate in covariates:
        columns += _coded(table, covariate, ratios.ids)
        names += covariate.names
    values = np.column_stack(columns)
    error = np.zeros((len(ratios.ids), len(names), len(names)))
    known = np.ones(len(ratios.ids), bool)
    if with_error:
        filled, known = with_known_error(ratios)
        contrast = np.array([[0.0, -1.0, 1.0], [-1.0, 1.0, 0.0]])  # (V, T, B) to (B/T, T/V)
        error[:, :2, :2] = contrast @ filled @ contrast.T
    return Predictors(ratios.ids, tuple(names), values, error, known)


def _declared(table: pd.DataFrame, text: str) -> Covariate:
    head, _, tail = text.partition(" ")
    if head == "log" and tail:
        return Covariate(tail.strip(), "log")
    if text not in table.columns:
        raise InputError(f"covariate {text}", "the table has no such column", "declare a column of the table")
    try:
        numeric_column(table, text)
    except InputError:
        levels = tuple(sorted({level for level in text_column(table, text) if level is not None}))
        if not 2 <= len(levels) <= 6:
            raise InputError(
                f"covariate {text}", f"it has {len(levels)} levels", "a category has two to six"
            ) from None
        return Covariate(text, "category", levels)
    return Covariate(text)


def _coded(table: pd.DataFrame, covariate: Covariate, ids: Sequence[str]) -> list[FloatArray]:
    if covariate.transform == "category":
        texts = text_column(table, covariate.column)
        for pid, text in zip(ids, texts, strict=True):
            if text is not None and text not in covariate.levels:
                raise InputError(
                    f"{pid}, {covariate.column}",
                    f"{text!r} is none of {', '.join(covariate.levels)}",
                    "correct it or leave it empty",
                )
        return [
            np.array([np.nan if text is None else float(text == level) for text in texts])
            for level in covariate.levels[1:]
        ]
    values = numeric_column(table, covariate.column)
    if covariate.transform == "none":
        return [values]
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise InputError(
            f"{ids[wrong[0]]}, {covariate.column}",
            f"{values[wrong[0]]:g} has no logarithm",
            "give a value above zero, half a unit for less than one",
        )
    return [np.asarray(np.log(values))]
