"""How far a model carries: bootstrap correction for optimism, instability, and validation on another study.

The correction is in `resampling`, the curves in `curves`. Instability of individual predictions: Riley &
Collins 2023, Biometrical Journal 65:2200302.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.prediction.bootstrap import (
    MOST_SEPARATED,
    Corrected,
    Resamples,
    corrected_measures,
    mostly_finite,
    resample_model,
)
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.curves import Curve, corrected_calibration
from sudeck.prediction.fitting import fit_stack
from sudeck.prediction.model_data import ModelData, model_data
from sudeck.prediction.predictors import RATIO_NAMES, Predictors
from sudeck.prediction.ratios import UNLIKE_RATIO
from sudeck.prediction.response_model import ResponseModel
from sudeck.statistics.arrays import FloatArray, blocks
from sudeck.statistics.calibration import (
    Performance,
    measure_performance,
)
from sudeck.statistics.regression.firth import corrected_intercept
from sudeck.statistics.regression.logistic import expit

# A slope below says that nothing was learned; everybody then gets nearly the same probability.
_LEAST_SHRINKAGE: Final = 0.05
_SHOWN: Final = 3


@dataclass(frozen=True)
class Instability:
    """How differently the same patient is predicted by models from bootstrap samples.

    Attributes
    ----------
    ids : tuple of str
    probability, low, high : array, shape (n,)
        Of the model, and the range of the bootstrap models.
    mean_absolute_difference : array, shape (n,)
        Each patient's.
    level : float
    """

    ids: tuple[str, ...]
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    mean_absolute_difference: FloatArray
    level: float

    @property
    def average(self) -> float:
        """Mean absolute prediction difference over patients (MAPE of Riley & Collins)."""
        return float(self.mean_absolute_difference.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, one entry a patient."""
        rows = zip(
            self.ids, self.probability, self.low, self.high, self.mean_absolute_difference, strict=True
        )
        return {
            "average": self.average,
            "level": self.level,
            "patients": {
                pid: {"probability": p, "low": a, "high": b, "difference": d}
                for pid, p, a, b, d in ((i, *map(float, rest)) for i, *rest in rows)
            },
        }


@dataclass(frozen=True)
class Validation:
    """Internal validation of a response model.

    Attributes
    ----------
    measures : Mapping of str to Corrected
        ``c_statistic``, ``brier``, ``calibration_intercept``, ``calibration_slope``.
    informative : bool
        Whether the tests of the ratios, and of all predictors together, say that the model carries
        information; where not, no interval here says so either.
    calibration : Curve or None
        Corrected for optimism, with its band; None where too many resamples separate.
    instability : Instability
    resamples : Resamples
    flags : tuple of Flag
    """

    measures: Mapping[str, Corrected]
    informative: bool
    calibration: Curve | None
    instability: Instability
    resamples: Resamples
    flags: tuple[Flag, ...]

    @property
    def shrinkage(self) -> float:
        """The factor predictions are to be shrunk by: the corrected slope, or one where that is withheld."""
        slope = self.measures["calibration_slope"].corrected
        return min(max(slope, _LEAST_SHRINKAGE), 1.0) if math.isfinite(slope) else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without the raw resamples."""
        return {name: measure.to_dict() for name, measure in self.measures.items()} | {
            "informative": self.informative,
            "calibration_curve": None if self.calibration is None else self.calibration.to_dict(),
            "instability": self.instability.to_dict(),
            "n_boot": len(self.resamples.weights),
            "n_separated": self.resamples.n_separated,
            "n_one_class": self.resamples.n_one_class,
            "flags": [flag.to_dict() for flag in self.flags],
        }

    def __str__(self) -> str:
        lines = [str(measure) for measure in self.measures.values()]
        lines.append(f"mean absolute difference of individual predictions: {self.instability.average:.3f}")
        return "\n".join([*lines, *(str(flag) for flag in self.flags)])


def validate_model(
    cohort: Cohort,
    model: ResponseModel,
    *,
    rng: np.random.Generator,
    n_boot: int = 500,
    level: float = 0.95,
    alpha: float = 0.05,
) -> Validation:
    """Validate a response model on its own patients, repeating every step of the fit in bootstrap samples.

    Parameters
    ----------
    cohort : Cohort
        The one the model was fitted to.
    model : ResponseModel
        Of a yes/no outcome.
    rng : numpy.random.Generator
    n_boot : int
    level : float
    alpha : float
        Of the test of the ratios, below which the model carries information at all.

    Raises
    ------
    InputError
        If the outcome is continuous, or the cohort is not the one of the model.
    """
    if model.plan.likelihood == "linear":
        raise InputError("the validation", "relief is continuous", "validate the response model")
    data = model_data(cohort, model.plan)
    if data.n != model.n or int(data.outcome.sum()) != model.events:
        raise InputError(
            "the validation", "the cohort is not the one of the model", "use validate_externally for others"
        )
    apparent = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    resamples = resample_model(data, model.plan, apparent, rng=rng, n_boot=n_boot)
    informative = model.ratios_p < alpha and overall_p(model) < 1 - level
    return Validation(
        corrected_measures(resamples, informative=informative, level=level),
        informative,
        corrected_calibration(resamples, level=level) if mostly_finite(resamples) else None,
        instability(resamples, data.predictors.ids, level=level),
        resamples,
        tuple(_flags(resamples, data)),
    )


def leave_one_out(
    cohort: Cohort, model: ResponseModel, *, rng: np.random.Generator, factor: float = 1.0
) -> Mapping[str, float]:
    """Return the probability of each patient of a model by the same plan fitted to all others.

    Parameters
    ----------
    cohort : Cohort
        That the model was fitted to.
    model : ResponseModel
    rng : numpy.random.Generator
        For missing predictors.
    factor : float
        By which predictions are shrunk: see `updating.shrunk`.
    """
    data = model_data(cohort, model.plan)
    predictors, others = data.predictors, 1.0 - np.eye(data.n)
    stack = fit_stack(
        predictors.values,
        predictors.error,
        data.outcome,
        model.plan,
        weights=others,
        rng=rng,
    )
    eta = np.empty(data.n)
    for block in blocks(data.n, predictors.values.size * predictors.values.shape[1]):
        each = stack.among(block).linear_predictor(predictors.values, predictors.error)
        if factor != 1.0:
            shift = corrected_intercept(factor * each, data.outcome, weights=others[block])
            each = factor * each + shift[:, None]
        eta[block] = np.diagonal(each, offset=block.start)
    return dict(zip(predictors.ids, expit(eta).tolist(), strict=True))


def overall_p(model: ResponseModel) -> float:
    """Return the P value of Wald's test that no predictor of a model matters, ratio or covariate."""
    from scipy.stats import chi2

    slopes, covariance = model.values[1:], model.covariance[1:, 1:]
    statistic = float(slopes @ np.linalg.pinv(covariance, hermitian=True) @ slopes)
    return float(chi2.sf(statistic, len(slopes)))


def instability(resamples: Resamples, ids: tuple[str, ...], *, level: float = 0.95) -> Instability:
    """Return how much individual predictions move between bootstrap models."""
    p, boot = expit(resamples.apparent), expit(resamples.predictions)
    low, high = np.quantile(boot, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Instability(ids, p, np.minimum(low, p), np.maximum(high, p), np.abs(boot - p).mean(axis=0), level)


def validate_externally(model: ResponseModel, cohort: Cohort, *, level: float = 0.95) -> Performance:
    """Validate a saved model on the patients of another study.

    Parameters
    ----------
    model : ResponseModel
    cohort : Cohort
        With the predictors of the model.
    """
    plan = replace(
        model.plan, likelihood="firth" if model.plan.likelihood == "linear" else model.plan.likelihood
    )
    data = model_data(cohort, plan)
    eta = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    return measure_performance(expit(eta), data.outcome, level=level)


def _flags(resamples: Resamples, data: ModelData) -> list[Flag]:
    flags = []
    if resamples.n_separated:
        message = f"{resamples.n_separated} bootstrap samples separate; the penalised fit is finite in them."
        flags.append(Flag("separated-resamples", message, "info", value=resamples.n_separated))
    far = _far_ratios(data.predictors)
    flags += far
    if not mostly_finite(resamples):
        share = 100 * resamples.n_separated / len(resamples.weights)
        why = "a ratio far from all others" if far else "few patients, or predictors that tell too well"
        message = (
            f"{share:.0f} % of the bootstrap samples separate, so slope, calibration and decision curve are "
            f"withheld; what does it here: {why}."
        )
        flags.append(
            Flag("many-separated-resamples", message, "serious", value=share, limit=100 * MOST_SEPARATED)
        )
    if resamples.n_one_class:
        message = f"{resamples.n_one_class} bootstrap samples had one outcome only and were dropped."
        flags.append(Flag("one-class-resamples", message, value=resamples.n_one_class))
    return flags


def _far_ratios(predictors: Predictors) -> list[Flag]:
    """Return a flag for each ratio of which somebody's lies far from the middle of all others."""
    flags = []
    for name, column in zip(RATIO_NAMES, predictors.values.T, strict=False):
        away = column - np.nanmedian(column)
        far = np.flatnonzero(np.abs(away) > math.log(UNLIKE_RATIO))
        if not far.size:
            continue
        worst = far[np.argsort(-np.abs(away[far]), kind="stable")]
        shown = ", ".join(
            f"{predictors.ids[i]} ({math.exp(away[i]):.2g} times the middle)" for i in worst[:_SHOWN]
        )
        more = f" and {len(far) - _SHOWN} more" if len(far) > _SHOWN else ""
        message = (
            f"{name.removeprefix('log ')} lies far from that of everybody else in {shown}{more}: look for a "
            "lost decimal point. One such value steers slopes, intervals and probabilities of all."
        )
        flags.append(
            Flag("far-ratio", message, "serious", value=float(np.exp(away[worst[0]])), limit=UNLIKE_RATIO)
        )
    return flags
