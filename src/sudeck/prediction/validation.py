"""How far a model carries: bootstrap correction for optimism, instability, and validation on another study.

Harrell, Lee & Mark 1996, Stat Med 15:361-387: the whole fit is repeated in bootstrap samples; each repeated
model is judged where it was fitted and on the original patients, and the mean difference is taken off. The
interval of a corrected measure is the bootstrap interval of the apparent one moved by the optimism (Noma et
al. 2021, Stat Med 40:5691-5701). Instability: Riley & Collins 2023, Biometrical Journal 65:2200302.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.prediction.arrays import FloatArray, both_classes
from sudeck.prediction.calibration import (
    Performance,
    brier_score,
    local_curve,
    measure_performance,
    recalibration,
)
from sudeck.prediction.fitting import ModelPlan, fit_stack
from sudeck.prediction.logistic import expit, maximise_logistic, separated
from sudeck.prediction.measurement_error import expected_truth
from sudeck.prediction.response_model import ModelData, ResponseModel, model_data
from sudeck.prediction.roc import c_statistic

if TYPE_CHECKING:
    import pandas as pd

# A measure takes linear predictors (..., n), outcomes (n,) and weights (..., n) or None, and returns shape
# (...).
Measure = Callable[[FloatArray, FloatArray, FloatArray | None], FloatArray]

MEASURES: Final[Mapping[str, Measure]] = {
    "c_statistic": c_statistic,
    "brier": lambda eta, y, w: brier_score(expit(eta), y, w),
    "calibration_intercept": lambda eta, y, w: recalibration(eta, y, w)[0],
    "calibration_slope": lambda eta, y, w: recalibration(eta, y, w)[1],
}


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


@dataclass(frozen=True)
class Curve:
    """A curve with its band, on a grid.

    Attributes
    ----------
    x, y, low, high : array, shape (g,)
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray
    high: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {name: getattr(self, name).tolist() for name in ("x", "y", "low", "high")}


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
    calibration : Curve
        Corrected for optimism, with its band.
    instability : Instability
    resamples : Resamples
    flags : tuple of Flag
    """

    measures: Mapping[str, Corrected]
    calibration: Curve
    instability: Instability
    resamples: Resamples
    flags: tuple[Flag, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without the raw resamples."""
        return {name: measure.to_dict() for name, measure in self.measures.items()} | {
            "calibration_curve": self.calibration.to_dict(),
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
    table: pd.DataFrame,
    model: ResponseModel,
    *,
    rng: np.random.Generator,
    n_boot: int = 500,
    level: float = 0.95,
) -> Validation:
    """Validate a response model on its own patients, repeating every step of the fit in bootstrap samples.

    Parameters
    ----------
    table : DataFrame
        The one the model was fitted to.
    model : ResponseModel
        Of a yes/no outcome.
    rng : numpy.random.Generator
    n_boot : int
    level : float

    Raises
    ------
    InputError
        If the outcome is continuous, or the table is not the one of the model.
    """
    if model.plan.likelihood == "linear":
        raise InputError("the validation", "relief is continuous", "validate the response model")
    data = model_data(table, model.plan, outcome=model.outcome_name)
    if data.n != model.n or int(data.outcome.sum()) != model.events:
        raise InputError(
            "the validation", "the table is not the one of the model", "use validate_externally for others"
        )
    apparent = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    resamples = resample_model(data, model.plan, apparent, rng=rng, n_boot=n_boot)
    measures = {
        name: correct_optimism(name, measure, resamples, level=level) for name, measure in MEASURES.items()
    }
    return Validation(
        measures,
        corrected_calibration(resamples, level=level),
        instability(resamples, data.predictors.ids, level=level),
        resamples,
        tuple(_flags(resamples)),
    )


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


def corrected_calibration(
    resamples: Resamples, *, grid: ArrayLike | None = None, level: float = 0.95
) -> Curve:
    """Return the smooth calibration curve, corrected for optimism, with a bootstrap band.

    Parameters
    ----------
    grid : array, shape (g,), optional
        Predicted probabilities; 30 between the 2nd and 98th percentile unless given.
    """
    y, p = resamples.outcome, expit(resamples.apparent)
    at = _grid(p) if grid is None else np.asarray(grid, dtype=np.float64)
    boot = expit(resamples.predictions)
    apparent = local_curve(p, y, at)
    in_sample = local_curve(boot, y, at, weights=resamples.weights)
    on_original = local_curve(boot, y, at)
    moved = in_sample - (in_sample - on_original).mean(axis=0)
    curve = np.clip(apparent - (in_sample - on_original).mean(axis=0), 0.0, 1.0)
    low, high = np.clip(np.quantile(moved, [(1 - level) / 2, (1 + level) / 2], axis=0), 0.0, 1.0)
    return Curve(at, curve, np.minimum(low, curve), np.maximum(high, curve))


def calibration_curve(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    n_boot: int = 500,
    grid: ArrayLike | None = None,
    level: float = 0.95,
) -> Curve:
    """Return the smooth calibration curve of predictions made elsewhere, with a band over patients."""
    y = both_classes(outcome, subject="the outcome of the calibration curve")
    p = np.asarray(probability, dtype=np.float64)
    at = _grid(p) if grid is None else np.asarray(grid, dtype=np.float64)
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=n_boot).astype(np.float64)
    curve = local_curve(p, y, at)
    low, high = np.quantile(local_curve(p, y, at, weights=draws), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Curve(at, curve, np.minimum(low, curve), np.maximum(high, curve))


def instability(resamples: Resamples, ids: tuple[str, ...], *, level: float = 0.95) -> Instability:
    """Return how much individual predictions move between bootstrap models."""
    p, boot = expit(resamples.apparent), expit(resamples.predictions)
    low, high = np.quantile(boot, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Instability(ids, p, np.minimum(low, p), np.maximum(high, p), np.abs(boot - p).mean(axis=0), level)


def validate_externally(
    model: ResponseModel, table: pd.DataFrame, *, responder: str | None = None, level: float = 0.95
) -> Performance:
    """Validate a saved model on the patients of another study.

    Parameters
    ----------
    model : ResponseModel
    table : DataFrame
        With the predictors and the outcome of the model.
    responder : str, optional
        Name of the outcome column there, if it differs.
    """
    plan = replace(
        model.plan, likelihood="firth" if model.plan.likelihood == "linear" else model.plan.likelihood
    )
    data = model_data(table, plan, outcome=responder or model.outcome_name)
    eta = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    return measure_performance(expit(eta), data.outcome, level=level)


def _grid(p: FloatArray) -> FloatArray:
    low, high = np.quantile(p, [0.02, 0.98])
    return np.linspace(float(low), float(high), 30)


def _flags(resamples: Resamples) -> list[Flag]:
    flags = []
    if resamples.n_separated:
        message = f"{resamples.n_separated} bootstrap samples separate; the penalised fit is finite in them."
        flags.append(Flag("separated-resamples", message, "info", value=resamples.n_separated))
    if resamples.n_one_class:
        message = f"{resamples.n_one_class} bootstrap samples had one outcome only and were dropped."
        flags.append(Flag("one-class-resamples", message, value=resamples.n_one_class))
    return flags
