"""The six measures of a patient and the measurement error they share.

On the log scale the three ratios of ratios have rank two: log BPr/VPr is log BPr/TPr plus log TPr/VPr. And
their errors are not independent: BPr/TPr and TPr/VPr share the tissue phase, one divided by it, the other
multiplied, so an error of TPr pushes them apart. Both facts are kept here for every module above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, SCAN_PHASES
from sudeck.statistics.arrays import BoolArray, FloatArray, numeric_column, patient_ids

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Final = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
# The two that span all three ratios of ratios, and that a model can hold together.
INDEPENDENT_RATIOS: Final = ("BPr/TPr", "TPr/VPr")
# Times the middle of the others: beyond, a ratio is more often a lost decimal point than a limb.
UNLIKE_RATIO: Final = 5.0
_CONSISTENT_WITHIN = 0.005  # relative; a printed table rounds to two or three decimals

# How each measure is made of the logarithms of (VPr, TPr, BPr).
_CONTRAST: Final[dict[str, tuple[float, float, float]]] = {
    "VPr": (1.0, 0.0, 0.0),
    "TPr": (0.0, 1.0, 0.0),
    "BPr": (0.0, 0.0, 1.0),
    "TPr/VPr": (-1.0, 1.0, 0.0),
    "BPr/TPr": (0.0, -1.0, 1.0),
    "BPr/VPr": (-1.0, 0.0, 1.0),
}


@dataclass(frozen=True)
class Ratios:
    """Uptake ratios of a cohort.

    Attributes
    ----------
    ids : tuple of str
        One a patient.
    log_phases : array, shape (n, 3)
        Logarithms of VPr, TPr and BPr; NaN where missing.
    log_error : array, shape (n, 3, 3)
        Covariance of the measurement error of `log_phases`; NaN where no standard error is known.
    """

    ids: tuple[str, ...]
    log_phases: FloatArray
    log_error: FloatArray

    def log_values(self, measure: str) -> FloatArray:
        """Return the logarithm of one measure, shape (n,)."""
        return _contrasted(self.log_phases, measure)

    def values(self, measure: str) -> FloatArray:
        """Return one measure, shape (n,)."""
        return np.exp(self.log_values(measure))

    def log_se(self, measure: str) -> FloatArray:
        """Return the standard error of the logarithm of one measure, shape (n,)."""
        contrast = np.array(_CONTRAST[measure])
        return np.asarray(np.sqrt(np.einsum("i,nij,j->n", contrast, self.log_error, contrast)))

    def log_error_of(self, measures: tuple[str, ...]) -> FloatArray:
        """Return the error covariance of the logarithms of several measures, shape (n, k, k)."""
        contrasts = np.array([_CONTRAST[measure] for measure in measures])
        return np.asarray(contrasts @ self.log_error @ contrasts.T)


def read_ratios(table: pd.DataFrame) -> Ratios:
    """Read VPr, TPr and BPr, and their standard errors where the table has them.

    Parameters
    ----------
    table : DataFrame
        One row a patient with ``participant_id``, ``VPr``, ``TPr``, ``BPr``. Optional: ``VPr_log_se`` ...
        (standard errors of the natural logarithms), and the same for the ratios of ratios
        (``BPr/TPr_log_se`` ...), from which the covariance between phases follows; without them the errors of
        the phases count as independent. Ratios of ratios themselves are computed; if the table has them too,
        they must agree to half a per cent.

    Raises
    ------
    InputError
        If a ratio is not positive, a standard error is negative, or a stored ratio of ratios contradicts.
    """
    ids = patient_ids(table)
    log_phases = np.column_stack([_log_positive(table, PHASE_RATIOS[phase], ids) for phase in SCAN_PHASES])
    errors = _error_covariance(_standard_errors(table, ids), len(ids))
    ratios = Ratios(tuple(ids), log_phases, errors)
    for measure in RATIOS_OF_RATIOS:
        if measure in table.columns:
            _refuse_contradiction(ratios, measure, _log_positive(table, measure, ids))
    return ratios


def with_known_error(ratios: Ratios) -> tuple[FloatArray, BoolArray]:
    """Return the error covariances with unknown ones replaced by the mean of the known, and which are known.

    Returns
    -------
    log_error : array, shape (n, 3, 3)
        All zero if no patient has a standard error.
    known : array of bool, shape (n,)
    """
    known = np.array([bool(np.isfinite(error).all()) for error in ratios.log_error], dtype=np.bool_)
    mean = ratios.log_error[known].mean(axis=0) if known.any() else np.zeros((3, 3))
    return np.where(known[:, None, None], ratios.log_error, mean), known


def _contrasted(log_phases: FloatArray, measure: str) -> FloatArray:
    contrast = np.array(_CONTRAST[measure])
    used = contrast != 0
    return np.asarray(log_phases[:, used] @ contrast[used])


def _log_positive(table: pd.DataFrame, column: str, ids: list[str]) -> FloatArray:
    values = numeric_column(table, column)
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise InputError(
            f"{ids[wrong[0]]}, {column}",
            f"{values[wrong[0]]:g} is no ratio",
            "a ratio of uptakes is positive",
        )
    return np.asarray(np.log(values))


def _standard_errors(table: pd.DataFrame, ids: list[str]) -> Mapping[str, FloatArray]:
    found = {}
    for measure in MEASURES:
        column = f"{measure}_log_se"
        if column in table.columns:
            found[measure] = numeric_column(table, column)
            wrong = np.flatnonzero(found[measure] < 0)
            if len(wrong):
                raise InputError(f"{ids[wrong[0]]}, {column}", "the standard error is negative", "correct it")
    return found


def _error_covariance(se: Mapping[str, FloatArray], n: int) -> FloatArray:
    covariance = np.full((n, 3, 3), np.nan)
    if not all(name in se for name in PHASE_RATIOS.values()):
        return covariance
    variances = np.column_stack([se[PHASE_RATIOS[phase]] ** 2 for phase in SCAN_PHASES])
    covariance[:] = 0.0
    covariance[:, range(3), range(3)] = variances
    for measure, (over, under) in RATIOS_OF_RATIOS.items():
        i, j = SCAN_PHASES.index(over), SCAN_PHASES.index(under)
        if measure in se:
            # var(a - b) = var a + var b - 2 cov(a, b), solved for the covariance, kept inside what is
            # possible.
            shared = (variances[:, i] + variances[:, j] - se[measure] ** 2) / 2
            shared = np.where(np.isnan(shared), 0.0, shared)
            limit = np.sqrt(variances[:, i] * variances[:, j])
            covariance[:, i, j] = covariance[:, j, i] = np.clip(shared, -limit, limit)
    covariance[np.isnan(variances).any(axis=1)] = np.nan
    return covariance


def _refuse_contradiction(ratios: Ratios, measure: str, stored: FloatArray) -> None:
    gap = np.abs(ratios.log_values(measure) - stored)
    wrong = np.flatnonzero(gap > _CONSISTENT_WITHIN)
    if len(wrong):
        i = int(wrong[0])
        computed = float(np.exp(ratios.log_values(measure)[i]))
        raise InputError(
            f"{ratios.ids[i]}, {measure}",
            f"the table says {np.exp(stored[i]):.4g} but its phases give {computed:.4g}",
            "correct the table or leave that column out",
        )
