"""The patients a model is fitted to, whether they are enough, and the plan decided before their outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import RELIEF, RESPONDER, Cohort, Outcome
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.predictors import Predictors, declare_covariates, read_predictors
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.sample_size.least_patients import FLOOR, least_patients

# Values that agree so far differ by rounding only.
_SAME: Final = 1e-9
# Of the correlation matrix: below, predictors tell the same but for the last digit of what was typed, and a
# coefficient is that digit (a standard error a hundred times that of each predictor alone).
_LEAST_EIGENVALUE: Final = 1e-4


@dataclass(frozen=True)
class ModelData:
    """The patients a model is fitted to: those with an outcome, and at least one predictor.

    Attributes
    ----------
    predictors : Predictors
    outcome : array, shape (n,)
    outcome_name : str
    left_out : int
        Patients without an outcome, or with nothing to predict from.
    """

    predictors: Predictors
    outcome: FloatArray
    outcome_name: str
    left_out: int

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.outcome)


def plan_model(cohort: Cohort, covariates: Sequence[str] = (), **options: Any) -> ModelPlan:
    """Return a plan with covariates declared as text, e.g. ``["log duration_months", "limb"]``.

    Parameters
    ----------
    cohort : Cohort
        Only its columns and their levels are looked at, never the outcome.
    covariates : sequence of str
    **options
        Further fields of `ModelPlan`.
    """
    return ModelPlan(covariates=declare_covariates(cohort, covariates), **options)


def model_data(cohort: Cohort, plan: ModelPlan) -> ModelData:
    """Collect the patients with an outcome, never imputed: relief for least squares, else response.

    Raises
    ------
    InputError
        If no patient is left.
    """
    predictors = read_predictors(cohort, plan.covariates, with_error=plan.correct_error)
    outcome: Outcome = RELIEF if plan.likelihood == "linear" else RESPONDER
    values = cohort.outcome(outcome)
    # A patient whose scan is missing altogether carries nothing about the ratios.
    scanned = ~np.isnan(predictors.values[:, :2]).all(axis=1)
    kept = np.isfinite(values) & scanned
    if not kept.any():
        raise InputError(f"outcome {outcome}", "no patient has it together with a scan", "complete the table")
    chosen = replace(
        predictors,
        ids=tuple(np.array(predictors.ids)[kept].tolist()),
        values=predictors.values[kept],
        error=predictors.error[kept],
        error_known=predictors.error_known[kept],
    )
    return ModelData(chosen, values[kept], outcome, int((~kept).sum()))


def require_enough(data: ModelData, *, subject: str) -> None:
    """Refuse to fit a model to too few patients, too few responders, or too few of the others.

    Parameters
    ----------
    data : ModelData
        Of a yes/no outcome, or of relief (then only the floor counts, and that relief varies).
    subject : str
        How the error names the study.

    Raises
    ------
    InputError
    """
    if data.n < FLOOR:
        problem = f"{data.n} patients have a scan and an outcome"
        raise InputError(subject, problem, f"a model needs at least {FLOOR}")
    values = data.outcome
    if values.min() == values.max():
        raise InputError(
            subject, "all patients have the same outcome", "a model needs some who differ from the others"
        )
    measured = data.predictors.values
    for name, column in zip(data.predictors.names, measured.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 3 or np.ptp(known) <= _SAME * max(float(np.abs(known).max()), 1.0):
            raise InputError(
                subject, f"{name} does not vary among those with an outcome", "leave such a predictor out"
            )
    _refuse_collinear(data, subject)
    if not set(values.tolist()) <= {0.0, 1.0}:
        return
    k, events = len(data.predictors.names), int(values.sum())
    needed = least_patients(k, events / data.n)
    if data.n < needed:
        raise InputError(
            subject,
            f"{data.n} patients with a scan and an outcome, {events} of them responders, cannot carry "
            f"{k} coefficients",
            f"at this share of responders {needed} are the least, and many more are needed for a good model",
        )


def _refuse_collinear(data: ModelData, subject: str) -> None:
    """Refuse predictors that repeat each other, as where one phase follows from the two others."""
    measured = data.predictors.values
    complete = measured[np.isfinite(measured).all(axis=1)]
    spread = complete.std(axis=0) if len(complete) else np.zeros(measured.shape[1])
    if len(complete) <= measured.shape[1] or not (spread > 0).all():
        return
    if float(np.linalg.eigvalsh(np.corrcoef(complete, rowvar=False))[0]) < _LEAST_EIGENVALUE:
        names = ", ".join(data.predictors.names)
        raise InputError(
            subject,
            f"{names} repeat each other in these patients",
            "check the ratios, or leave a covariate out",
        )
