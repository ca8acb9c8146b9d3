"""The honest model: two log ratios and declared covariates, for response and for relief as it was scored.

Two ratios, because on the log scale the third is their sum. Firth's penalty, because a hundred patients
separate. Measurement error taken into account, because the ratios differ from 1 by little more than it.
Relief as a continuous outcome beside the yes/no one, because a cut through a scale throws information away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import counted
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.fitting import CompletedData, FittedStack, ModelPlan, average_distribution, complete
from sudeck.prediction.inference import fit_imputed, fit_one
from sudeck.prediction.model_data import ModelData, model_data
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.measurement_error import PredictorDistribution, logistic_stretch
from sudeck.statistics.regression.firth import corrected_intercept
from sudeck.statistics.regression.linear import fit_linear
from sudeck.statistics.regression.logistic import maximise_logistic, separated

_FEW_EVENTS_PER_COEFFICIENT = 10

_WEAK_RELIABILITY = 0.5


@dataclass(frozen=True)
class ResponseModel:
    """A fitted model, ready to predict and to be saved.

    Attributes
    ----------
    plan : ModelPlan
    outcome_name : str
    coefficients : tuple of Estimate
        Intercept first. Log odds ratios per unit of the true predictor; for relief, its units.
    p_values : tuple of float
    covariance : array, shape (k + 1, k + 1)
    stretch : float
        Predictions use the coefficients divided by this: see `measurement_error.logistic_stretch`.
    shift : float
        Added to the linear predictor when predicting (FLIC).
    distribution : PredictorDistribution
        Of the true predictors in this cohort.
    mean_error : array, shape (k, k)
        Mean covariance of their measurement error.
    reliability : Mapping of str to float
        Share of the observed variance of each log ratio that is not measurement error.
    ratios_p : float
        Test that neither log ratio matters: the one claim of the model.
    residual_sd : float or None
        Of relief; ``None`` for a yes/no outcome.
    r_squared : float or None
        Explained variance of relief (apparent).
    ranges : Mapping of str to (float, float)
        Smallest and largest observed value of each predictor.
    n, events, left_out : int
        ``events`` is zero for a continuous outcome.
    imputed : int
        Patients with at least one missing predictor.
    flags : tuple of Flag
    """

    plan: ModelPlan
    outcome_name: str
    coefficients: tuple[Estimate, ...]
    p_values: tuple[float, ...]
    covariance: FloatArray
    stretch: float
    shift: float
    distribution: PredictorDistribution
    mean_error: FloatArray
    reliability: Mapping[str, float]
    ratios_p: float
    residual_sd: float | None
    r_squared: float | None
    ranges: Mapping[str, tuple[float, float]]
    n: int
    events: int
    left_out: int
    imputed: int
    flags: tuple[Flag, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the predictors, without the intercept."""
        return tuple(coefficient.name for coefficient in self.coefficients[1:])

    @property
    def values(self) -> FloatArray:
        """Coefficients as an array, intercept first."""
        return np.array([coefficient.value for coefficient in self.coefficients])

    def as_stack(self) -> FittedStack:
        """Return the model in the form that predicts."""
        return FittedStack(self.values / self.stretch, np.array(self.shift), self.distribution)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "outcome": self.outcome_name,
            "plan": self.plan.to_dict(),
            "coefficients": {
                coefficient.name: {**coefficient.to_dict(), "p": p}
                for coefficient, p in zip(self.coefficients, self.p_values, strict=True)
            },
            "ratios_p": self.ratios_p,
            "reliability": dict(self.reliability),
            "stretch": self.stretch,
            "residual_sd": self.residual_sd,
            "r_squared": self.r_squared,
            "n": self.n,
            "events": self.events,
            "left_out": self.left_out,
            "imputed": self.imputed,
            "flags": [flag.to_dict() for flag in self.flags],
        }

    def __str__(self) -> str:
        events = f", {self.events} responders" if self.events else ""
        lines = [f"{self.outcome_name} from {len(self.names)} predictors, {self.n} patients{events}"]
        lines += [
            f"  {coefficient}, P = {p:.3g}"
            for coefficient, p in zip(self.coefficients, self.p_values, strict=True)
        ]
        lines += [f"  both ratios together: P = {self.ratios_p:.3g}", *(f"  {flag}" for flag in self.flags)]
        return "\n".join(lines)


def fit_response_model(cohort: Cohort, plan: ModelPlan, *, rng: np.random.Generator) -> ResponseModel:
    """Fit the probability of response.

    Parameters
    ----------
    cohort : Cohort
        With the declared covariates.
    plan : ModelPlan
        ``likelihood`` "firth", "ridge" or "plain".
    rng : numpy.random.Generator
        Used only if predictors are missing.

    Raises
    ------
    InputError
        If all patients have the same outcome, or the predictors are linearly dependent.
    """
    if plan.likelihood == "linear":
        raise InputError(
            "the response model", "least squares does not fit a yes/no outcome", "plan a logistic one"
        )
    data = model_data(cohort, plan)
    both_classes(data.outcome, subject=f"outcome {data.outcome_name}")
    return fit_model(data, plan, rng=rng)


def fit_relief_model(cohort: Cohort, plan: ModelPlan, *, rng: np.random.Generator) -> ResponseModel:
    """Fit relief as a continuous outcome by least squares, with the same predictors and corrections."""
    linear = replace(plan, likelihood="linear")
    return fit_model(model_data(cohort, linear), linear, rng=rng)


def fit_model(data: ModelData, plan: ModelPlan, *, rng: np.random.Generator) -> ResponseModel:
    """Fit a plan to patients already collected."""
    predictors = data.predictors
    completed = complete(predictors.values, predictors.error, data.outcome, m=plan.imputations, rng=rng)
    names = ("intercept", *predictors.names)
    if len(completed.designs) == 1:
        fit = fit_one(completed.designs[0], data.outcome, names, plan)
    else:
        fit = fit_imputed(completed.designs, data.outcome, names, plan)
    coefficients, p_values, covariance, ratios_p = fit
    distribution = average_distribution(completed.distribution)
    beta = np.array([coefficient.value for coefficient in coefficients])
    stretch, shift, residual_sd, r_squared = 1.0, 0.0, None, None
    if plan.likelihood == "firth":
        shifts = corrected_intercept(completed.designs @ beta, data.outcome)
        shift = float(np.mean(shifts))
    if plan.likelihood != "linear":
        stretch = logistic_stretch(beta[1:], completed.uncertainty)
        coefficients = tuple(_stretched(coefficient, stretch) for coefficient in coefficients)
        covariance = covariance * stretch**2
    else:
        linear = fit_linear(completed.designs, data.outcome)
        residual_sd = math.sqrt(float(linear.residual_variance.mean()))
        r_squared = float(linear.r_squared.mean())
    reliability = dict(zip(predictors.names[:2], distribution.reliability()[:2].tolist(), strict=True))
    lows, highs = np.nanmin(predictors.values, axis=0), np.nanmax(predictors.values, axis=0)
    return ResponseModel(
        plan,
        data.outcome_name,
        coefficients,
        p_values,
        covariance,
        stretch,
        shift,
        distribution,
        predictors.error.mean(axis=0),
        reliability,
        ratios_p,
        residual_sd,
        r_squared,
        {
            name: (float(low), float(high))
            for name, low, high in zip(predictors.names, lows, highs, strict=True)
        },
        data.n,
        0 if plan.likelihood == "linear" else int(data.outcome.sum()),
        data.left_out,
        int(np.isnan(predictors.values).any(axis=1).sum()),
        tuple(_flags(data, plan, completed)),
    )


def _stretched(coefficient: Estimate, factor: float) -> Estimate:
    return replace(
        coefficient,
        value=coefficient.value * factor,
        low=coefficient.low * factor,
        high=coefficient.high * factor,
        se=None if coefficient.se is None else coefficient.se * factor,
        components={name: part * factor for name, part in coefficient.components.items()},
    )


def _flags(data: ModelData, plan: ModelPlan, completed: CompletedData) -> list[Flag]:
    flags = []
    if data.left_out:
        have = counted(data.left_out, "patient", "have")
        message = f"{have} no outcome, or no two phases to compare, and took no part."
        flags.append(Flag("patients-left-out", message, "info", value=data.left_out))
    unknown = int((~data.predictors.error_known).sum())
    if 0 < unknown < data.n:
        message = f"{counted(unknown, 'patient', 'have')} no standard error; the mean of the others was used."
        flags.append(Flag("unknown-error", message, value=unknown))
    if plan.correct_error and not data.predictors.error.any():
        message = "No measurement error is known, so slopes are not corrected for it."
        flags.append(Flag("error-not-corrected", message))
    if completed.distribution.overwhelmed:
        message = (
            "The stated measurement error is nearly as large as the spread of the ratios; it was capped."
        )
        flags.append(Flag("error-overwhelms", message, "serious"))
    weakest = average_distribution(completed.distribution).weakest_reliability()
    if weakest < _WEAK_RELIABILITY:
        share = f"{100 * weakest:.0f} %"
        message = f"Some combination of the ratios is only {share} true: corrected slopes are unstable."
        flags.append(Flag("weak-reliability", message, value=weakest, limit=_WEAK_RELIABILITY))
    if plan.likelihood == "linear":
        return flags
    k = len(data.predictors.names)
    rarer = int(min(data.outcome.sum(), data.n - data.outcome.sum()))
    if rarer < _FEW_EVENTS_PER_COEFFICIENT * k:
        message = f"{rarer} patients in the rarer class carry {k} coefficients: expect overfitting."
        flags.append(Flag("few-events", message, value=rarer / k, limit=float(_FEW_EVENTS_PER_COEFFICIENT)))
    design = completed.designs[0]
    if bool(separated(maximise_logistic(design, data.outcome), design)):
        message = "The predictors separate responders from the others: without a penalty no estimate exists."
        flags.append(Flag("separated", message, "serious"))
    return flags
