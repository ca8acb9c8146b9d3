"""From a cohort to the predictors of a model: two log ratios, and what was declared beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.ratios import INDEPENDENT_RATIOS, with_known_error
from sudeck.statistics.arrays import BoolArray, FloatArray

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


def declare_covariates(cohort: Cohort, declared: Sequence[str]) -> tuple[Covariate, ...]:
    """Turn declarations such as ``"log duration_months"`` or ``"limb"`` into covariates of this cohort.

    A column that holds only numbers enters as it is, or as its logarithm if declared so; any other column is
    a category whose levels are taken in alphabetical order, the first being the reference.

    Raises
    ------
    InputError
        If a column is absent, a category does not vary, or has so many levels that it is no category.
    """
    return tuple(_declared(cohort, text) for text in declared)


def read_predictors(
    cohort: Cohort, covariates: Sequence[Covariate], *, with_error: bool = True
) -> Predictors:
    """Read the two log ratios and the covariates of every patient.

    Parameters
    ----------
    cohort : Cohort
        With the columns of `covariates`.
    covariates : sequence of Covariate
    with_error : bool
        Whether to carry the measurement error of the ratios; else it counts as none.

    Raises
    ------
    InputError
        If a value does not fit its declaration.
    """
    ratios = cohort.ratios
    columns = [ratios.log_values(name) for name in INDEPENDENT_RATIOS]
    names = list(RATIO_NAMES)
    for covariate in covariates:
        columns += _coded(cohort, covariate)
        names += covariate.names
    values = np.column_stack(columns)
    error = np.zeros((len(ratios.ids), len(names), len(names)))
    known = np.ones(len(ratios.ids), bool)
    if with_error:
        filled, known = with_known_error(ratios)
        contrast = np.array([[0.0, -1.0, 1.0], [-1.0, 1.0, 0.0]])  # (V, T, B) to (B/T, T/V)
        error[:, :2, :2] = contrast @ filled @ contrast.T
    return Predictors(ratios.ids, tuple(names), values, error, known)


def _declared(cohort: Cohort, text: str) -> Covariate:
    head, _, tail = text.partition(" ")
    if head == "log" and tail:
        return Covariate(tail.strip(), "log")
    if text not in cohort.columns:
        raise InputError(f"covariate {text}", "the table has no such column", "declare a column of the table")
    column = cohort.columns[text]
    if column.numbers is not None:
        return Covariate(text)
    levels = tuple(sorted({level for level in column.words if level is not None}))
    if not 2 <= len(levels) <= 6:
        raise InputError(f"covariate {text}", f"it has {len(levels)} levels", "a category has two to six")
    return Covariate(text, "category", levels)


def _coded(cohort: Cohort, covariate: Covariate) -> list[FloatArray]:
    if covariate.transform == "category":
        texts = cohort.column(covariate.column).words
        for pid, text in zip(cohort.ids, texts, strict=True):
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
    values = cohort.numbers(covariate.column)
    if covariate.transform == "none":
        return [values]
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise InputError(
            f"{cohort.ids[wrong[0]]}, {covariate.column}",
            f"{values[wrong[0]]:g} has no logarithm",
            "give a value above zero, half a unit for less than one",
        )
    return [np.asarray(np.log(values))]
