"""Bootstrap samples of patients, the whole fit repeated in each, and what that says about optimism.

Harrell, Lee & Mark 1996, Stat Med 15:361-387: each repeated model is judged where it was fitted and on the
original patients, and the mean difference is taken off. The interval of a corrected measure is the bootstrap
interval of the apparent one moved by the optimism (Noma et al. 2021, Stat Med 40:5691-5701).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sudeck.prediction.fitting import ModelPlan, fit_stack
from sudeck.prediction.model_data import ModelData
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.calibration import (
    brier_score,
    recalibration,
)
from sudeck.statistics.measurement_error import expected_truth
from sudeck.statistics.regression.logistic import expit, maximise_logistic, separated
from sudeck.statistics.roc import c_statistic

# Takes linear predictors (..., n), outcomes (n,) and weights (..., n) or None; returns shape (...).
Measure = Callable[[FloatArray, FloatArray, FloatArray | None], FloatArray]

MEASURES: Final[Mapping[str, Measure]] = {
    "c_statistic": c_statistic,
    "brier": lambda eta, y, w: brier_score(expit(eta), y, w),
    "calibration_intercept": lambda eta, y, w: recalibration(eta, y, w)[0],
    "calibration_slope": lambda eta, y, w: recalibration(eta, y, w)[1],
}


@dataclass(frozen=True)
class Resamples:
    """Bootstrap models and what they predict: the raw material of every corrected measure.

    Attributes
    ----------
    outcome : array, shape (n,)
    apparent : array, shape (n,)
        Linear predictor of the model itself.
    weights : array, shape (b, n)
        How often each bootstrap sample drew each patient.
    predictions : array, shape (b, n)
        Linear predictors of the bootstrap models for all original patients.
    n_separated : int
        Samples whose predictors separate the outcome, so that an unpenalised fit does not exist.
    n_one_class : int
        Samples dropped because they drew only one outcome.
    """

    outcome: FloatArray
    apparent: FloatArray
    weights: FloatArray
    predictions: FloatArray
    n_separated: int
    n_one_class: int


def resample_model(
    data: ModelData, plan: ModelPlan, apparent: FloatArray, *, rng: np.random.Generator, n_boot: int
) -> Resamples:
    """Repeat a fit in bootstrap samples of patients.

    Parameters
    ----------
    data : ModelData
    plan : ModelPlan
    apparent : array, shape (n,)
        Linear predictor of the model itself.
    """
    y, n = data.outcome, data.n
    draws = rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)
    weights = draws[(draws @ y > 0) & (draws @ (1 - y) > 0)]
    values, error = data.predictors.values, data.predictors.error
    stack = fit_stack(values, error, y, plan, weights=weights, rng=rng)
    predictions = stack.linear_predictor(values, error)
    expected, _ = expected_truth(values, error, stack.distribution)
    design = np.concatenate([np.ones((*expected.shape[:-1], 1)), expected], axis=-1)
    plain = maximise_logistic(design, y, weights=weights, max_iterations=25)
    # A patient who was not drawn cannot separate anything: judge by those who were.
    drawn = np.where(weights[..., None] > 0, design, 0.0)
    return Resamples(
        y, apparent, weights, predictions, int(separated(plain, drawn).sum()), n_boot - len(weights)
    )


@dataclass(frozen=True, slots=True)
class Corrected:
    """One measure of performance, before and after correction for optimism.

    Attributes
    ----------
    name : str
    apparent : float
        Of the model on the patients it was fitted to.
    in_sample, on_original : float
        Means over bootstrap models: where they were fitted, and on the original patients.
    low, high : float
        Interval of the corrected value.
    level : float
    """

    name: str
    apparent: float
    in_sample: float
    on_original: float
    low: float
    high: float
    level: float

    @property
    def optimism(self) -> float:
        """How much better bootstrap models look where they were fitted."""
        return self.in_sample - self.on_original

    @property
    def corrected(self) -> float:
        """What to expect in new patients from the same place."""
        return self.apparent - self.optimism

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "apparent": self.apparent,
            "optimism": self.optimism,
            "corrected": self.corrected,
            "low": self.low,
            "high": self.high,
            "level": self.level,
        }

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.apparent:.3f} apparent, {self.corrected:.3f} corrected "
            f"({100 * self.level:g} % interval {self.low:.3f} to {self.high:.3f})"
        )


def correct_optimism(name: str, measure: Measure, resamples: Resamples, *, level: float = 0.95) -> Corrected:
    """Correct one measure of performance for optimism."""
    y = resamples.outcome
    apparent = float(measure(resamples.apparent, y, None))
    in_sample = measure(resamples.predictions, y, resamples.weights)
    on_original = measure(resamples.predictions, y, None)
    usable = np.isfinite(in_sample) & np.isfinite(on_original)
    optimism = float((in_sample - on_original)[usable].mean())
    # A calibration measure is perfect where it was fitted; what varies is how it does on the original.
    spread = on_original[usable] if name.startswith("calibration") else in_sample[usable] - optimism
    low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
    corrected = apparent - optimism
    return Corrected(
        name,
        apparent,
        float(in_sample[usable].mean()),
        float(on_original[usable].mean()),
        min(float(low), corrected),
        max(float(high), corrected),
        level,
    )
