"""The patients a model is fitted to, and the plan decided before their outcomes were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.predictors import Predictors, declare_covariates, read_predictors
from sudeck.statistics.arrays import FloatArray, binary_column, numeric_column

if TYPE_CHECKING:
    import pandas as pd


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


def plan_model(table: pd.DataFrame, covariates: Sequence[str] = (), **options: Any) -> ModelPlan:
    """Return a plan with covariates declared as text, e.g. ``["log duration_months", "limb"]``.

    Parameters
    ----------
    table : DataFrame
        Only its columns and their levels are looked at, never the outcome.
    covariates : sequence of str
    **options
        Further fields of `ModelPlan`.
    """
    return ModelPlan(covariates=declare_covariates(table, covariates), **options)


def model_data(table: pd.DataFrame, plan: ModelPlan, *, outcome: str) -> ModelData:
    """Collect the patients who have an outcome; a missing outcome is never imputed.

    Raises
    ------
    InputError
        If no patient is left.
    """
    predictors = read_predictors(table, plan.covariates, with_error=plan.correct_error)
    linear = plan.likelihood == "linear"
    values = numeric_column(table, outcome) if linear else binary_column(table, outcome)
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
