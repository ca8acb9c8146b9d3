"""From predictors to coefficients, the same way for the cohort and for every resample of it.

The steps are: complete what is missing (multiple imputation), replace what was measured by what is expected
of the truth (regression calibration), maximise a penalised likelihood. A resample repeats all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.prediction.predictors import Covariate
from sudeck.statistics.arrays import FloatArray, blocks
from sudeck.statistics.imputation import impute
from sudeck.statistics.measurement_error import (
    PredictorDistribution,
    expected_truth,
    predictor_distribution,
)
from sudeck.statistics.regression.firth import corrected_intercept
from sudeck.statistics.regression.linear import fit_linear
from sudeck.statistics.regression.logistic import maximise_logistic
from sudeck.statistics.regression.ridge import fit_ridge

Likelihood = Literal["firth", "ridge", "plain", "linear"]


@dataclass(frozen=True)
class ModelPlan(Record):
    """Everything decided before the outcome is looked at.

    Attributes
    ----------
    covariates : tuple of Covariate
        Beside the two log ratios.
    likelihood : {"firth", "ridge", "plain", "linear"}
        Logistic with Firth's or a ridge penalty or none; or least squares for a continuous outcome.
    ridge_penalty : float, optional
        Chosen by information criterion in every fit unless given.
    correct_error : bool
        Whether measurement error of the ratios is taken into account.
    imputations, imputations_in_resamples : int
        Data sets completed if predictors are missing: in the fit, and in each resample of a validation.
    level : float
        Coverage of intervals.
    """

    covariates: tuple[Covariate, ...] = ()
    likelihood: Likelihood = "firth"
    ridge_penalty: float | None = None
    correct_error: bool = True
    imputations: int = 20
    imputations_in_resamples: int = 5
    level: float = 0.95


@dataclass(frozen=True)
class FittedStack:
    """Coefficients of one fit or of a stack of resamples, with what is needed to predict.

    Attributes
    ----------
    coefficients : array, shape (..., k + 1)
        Intercept first; of a Firth fit the intercept as estimated.
    shift : array, shape (...)
        Added to the linear predictor so that predictions are right on average (FLIC); zero unless Firth.
    distribution : PredictorDistribution
        Of the true predictors, in each resample.
    """

    coefficients: FloatArray
    shift: FloatArray
    distribution: PredictorDistribution

    def linear_predictor(self, values: FloatArray, error: FloatArray) -> FloatArray:
        """Return the linear predictor of patients, shape (..., n); what is missing is expected from the rest.

        Parameters
        ----------
        values : array, shape (n, k)
        error : array, shape (n, k, k)
        """
        expected, _ = expected_truth(values, error, self.distribution)
        return self.predictor_of(expected)

    def predictor_of(self, expected: FloatArray) -> FloatArray:
        """Return the linear predictor of patients whose predictors are as expected, shape (..., n, k)."""
        slopes = self.coefficients[..., 1:]
        return np.asarray(
            self.coefficients[..., :1] + self.shift[..., None] + (expected @ slopes[..., None])[..., 0]
        )

    def among(self, rows: slice) -> FittedStack:
        """Return some of the resamples of a stack."""
        return FittedStack(self.coefficients[rows], self.shift[rows], self.distribution.among(rows))


@dataclass(frozen=True)
class CompletedData:
    """What a likelihood gets to see: complete predictors with measurement error already taken into account.

    Attributes
    ----------
    designs : array, shape (m, n, k + 1)
        One an imputation, with the column of ones.
    uncertainty : array, shape (k, k)
        Mean covariance of the true predictors given what was measured.
    distribution : PredictorDistribution
        A stack of m.
    """

    designs: FloatArray
    uncertainty: FloatArray
    distribution: PredictorDistribution = field(repr=False)


def complete(
    values: FloatArray, error: FloatArray, outcome: FloatArray, *, m: int, rng: np.random.Generator | None
) -> CompletedData:
    """Impute what is missing and replace measured predictors by their expected truth.

    Parameters
    ----------
    values : array, shape (n, k)
        NaN where missing.
    error : array, shape (n, k, k)
    outcome : array, shape (n,)
        Takes part in the imputation, as it must.
    m : int
        Imputations; one data set, unchanged, if nothing is missing.
    rng : numpy.random.Generator, optional
        Needed if something is missing.
    """
    if np.isnan(values).any():
        if rng is None:
            raise InputError("the imputation", "it has no source of randomness", "give rng")
        filled = impute(np.column_stack([values, outcome]), m=m, rng=rng)[..., :-1]
    else:
        filled = values[None]
    distribution = predictor_distribution(filled, error)
    expected, unsure = expected_truth(filled, error, distribution)
    return CompletedData(_with_ones(expected), unsure.mean(axis=(0, 1)), distribution)


def fit_stack(
    values: FloatArray,
    error: FloatArray,
    outcome: FloatArray,
    plan: ModelPlan,
    *,
    weights: FloatArray,
    rng: np.random.Generator,
) -> FittedStack:
    """Fit the plan to every resample of a stack.

    Parameters
    ----------
    values : array, shape (n, k)
    error : array, shape (n, k, k)
    outcome : array, shape (n,)
    plan : ModelPlan
    weights : array, shape (b, n)
        How often each resample drew each patient.
    rng : numpy.random.Generator
        One child a resample is spawned for the imputations, so the order of work does not matter.
    """
    if not np.isnan(values).any():
        return _joined(
            [
                _fit_weighted(values, error, outcome, plan, weights[block])
                for block in blocks(len(weights), values.size * values.shape[1])
            ],
            np.concatenate,
        )
    return _joined(
        [
            _fit_resample(values, error, outcome, plan, row.astype(int), child)
            for row, child in zip(weights, rng.spawn(len(weights)), strict=True)
        ],
        np.array,
    )


def average_distribution(stack: PredictorDistribution) -> PredictorDistribution:
    """Return the mean over imputations of the distribution of the predictors."""
    return PredictorDistribution(
        stack.mean.mean(axis=0),
        stack.covariance.mean(axis=0),
        stack.observed_covariance.mean(axis=0),
        stack.overwhelmed,
    )


def _joined(parts: Sequence[FittedStack], join: Callable[..., FloatArray]) -> FittedStack:
    each = [part.distribution for part in parts]
    return FittedStack(
        join([part.coefficients for part in parts]),
        join([part.shift for part in parts]),
        PredictorDistribution(
            join([one.mean for one in each]),
            join([one.covariance for one in each]),
            join([one.observed_covariance for one in each]),
            any(one.overwhelmed for one in each),
        ),
    )


def _fit_weighted(
    values: FloatArray, error: FloatArray, outcome: FloatArray, plan: ModelPlan, weights: FloatArray
) -> FittedStack:
    distribution = predictor_distribution(values, error, weights=weights)
    expected, _ = expected_truth(values, error, distribution)
    coefficients, shift = _maximise(_with_ones(expected), outcome, plan, weights)
    return FittedStack(coefficients, shift, distribution)


def _fit_resample(
    values: FloatArray,
    error: FloatArray,
    outcome: FloatArray,
    plan: ModelPlan,
    counts: np.ndarray,
    rng: np.random.Generator,
) -> FittedStack:
    rows = np.repeat(np.arange(len(outcome)), counts)
    data = complete(values[rows], error[rows], outcome[rows], m=plan.imputations_in_resamples, rng=rng)
    coefficients, shift = _maximise(data.designs, outcome[rows], plan, None)
    return FittedStack(
        coefficients.mean(axis=0), np.asarray(shift.mean(axis=0)), average_distribution(data.distribution)
    )


def _maximise(
    designs: FloatArray, outcome: FloatArray, plan: ModelPlan, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    if plan.likelihood == "linear":
        coefficients = fit_linear(designs, outcome, weights=weights).coefficients
        return coefficients, np.zeros(coefficients.shape[:-1])
    if plan.likelihood == "ridge":
        coefficients = fit_ridge(designs, outcome, penalty=plan.ridge_penalty, weights=weights).coefficients
        return coefficients, np.zeros(coefficients.shape[:-1])
    firth = plan.likelihood == "firth"
    fit = maximise_logistic(designs, outcome, weights=weights, firth=firth)
    shift = np.zeros(fit.coefficients.shape[:-1])
    if firth:
        eta = (designs @ fit.coefficients[..., None])[..., 0]
        shift = corrected_intercept(eta, outcome, weights=weights)
    return fit.coefficients, shift


def _with_ones(values: FloatArray) -> FloatArray:
    return np.concatenate([np.ones((*values.shape[:-1], 1)), values], axis=-1)
