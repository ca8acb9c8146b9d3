"""One patient: what the model predicts, how sure it is, and what the prediction rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.predictors import read_predictors
from sudeck.prediction.response_model import ResponseModel
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.measurement_error import expected_truth
from sudeck.statistics.regression.logistic import expit


@dataclass(frozen=True, slots=True)
class PatientPrediction:
    """A prediction for one patient.

    Attributes
    ----------
    participant_id : str
    prediction : Estimate
        Probability of response, or expected relief. ``components`` are the standard errors owed to the
        coefficients and to this patient's measurement error (and missing predictors).
    contributions : Mapping of str to float
        What each predictor adds to the linear predictor (log odds, or relief) against the mean patient.
    used : Mapping of str to float
        The value of each predictor that was used: measured ones drawn towards the mean by their error.
    missing : tuple of str
        Predictors this patient lacks; they were expected from the others.
    flags : tuple of Flag
    """

    participant_id: str
    prediction: Estimate
    contributions: Mapping[str, float]
    used: Mapping[str, float]
    missing: tuple[str, ...]
    flags: tuple[Flag, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; a probability comes with its bare ``low`` and ``high``."""
        key = "probability" if self.prediction.name == "probability of response" else "value"
        return {
            key: self.prediction.value,
            "low": self.prediction.low,
            "high": self.prediction.high,
            "level": self.prediction.level,
            "components": dict(self.prediction.components),
            "contributions": dict(self.contributions),
            "used": dict(self.used),
            "missing": list(self.missing),
            "flags": [flag.to_dict() for flag in self.flags],
        }

    def __str__(self) -> str:
        largest = max(self.contributions, key=lambda name: abs(self.contributions[name]))
        return f"{self.participant_id}: {self.prediction}; weighs most: {largest}"


def predict_patients(model: ResponseModel, cohort: Cohort) -> tuple[PatientPrediction, ...]:
    """Predict every patient of a cohort; the outcome is not needed and not looked at.

    The interval holds the uncertainty of the coefficients and of this patient's own measurement: it says what
    would be predicted if the model came from infinitely many patients and the scan had no error. It is not
    the chance of the outcome, which the probability itself is.

    Parameters
    ----------
    model : ResponseModel
        Just fitted, or loaded.
    cohort : Cohort
        With the covariates of the model. Missing predictors are allowed.

    Raises
    ------
    InputError
        If a value does not fit its declaration.
    """
    predictors = read_predictors(cohort, model.plan.covariates, with_error=model.plan.correct_error)
    error = np.where(predictors.error_known[:, None, None], predictors.error, model.mean_error)
    expected, unsure = expected_truth(predictors.values, error, model.distribution)
    unsure = np.broadcast_to(unsure, (*expected.shape, expected.shape[-1]))
    return tuple(
        _predict(model, pid, predictors.values[i], expected[i], unsure[i])
        for i, pid in enumerate(predictors.ids)
    )


def _predict(
    model: ResponseModel, pid: str, values: FloatArray, expected: FloatArray, unsure: FloatArray
) -> PatientPrediction:
    row = np.concatenate([[1.0], expected])
    predictive = model.values / model.stretch
    slopes = predictive[1:]
    linear = float(row @ predictive) + model.shift
    of_coefficients = math.sqrt(float(row @ model.covariance @ row)) / model.stretch
    of_measurement = math.sqrt(max(float(slopes @ unsure @ slopes), 0.0))
    contributions = slopes * (expected - model.distribution.mean)
    missing = tuple(name for name, value in zip(model.names, values, strict=True) if math.isnan(value))
    return PatientPrediction(
        pid,
        _estimate(model, linear, of_coefficients, of_measurement),
        dict(zip(model.names, contributions.tolist(), strict=True)),
        dict(zip(model.names, expected.tolist(), strict=True)),
        missing,
        tuple(_flags(model, values, missing)),
    )


def _estimate(model: ResponseModel, linear: float, of_coefficients: float, of_measurement: float) -> Estimate:

    se = math.hypot(of_coefficients, of_measurement)
    level = model.plan.level
    components = {"coefficients": of_coefficients, "measurement": of_measurement}
    method = f"{model.plan.likelihood} model, {model.n} patients"
    if model.plan.likelihood == "linear":
        return Estimate.from_normal(
            f"expected {model.outcome_name}", linear, se, level=level, method=method, components=components
        )
    half = normal_quantile(level) * se
    value, low, high = (float(expit(np.array(x))) for x in (linear, linear - half, linear + half))
    slope = value * (1 - value)  # carries a standard error from log odds to probability
    return Estimate(
        "probability of response",
        value,
        low,
        high,
        level=level,
        method=f"{method}, Wald interval on the log odds",
        n=model.n,
        n_unit="patients",
        se=se * slope,
        components={name: part * slope for name, part in components.items()},
    )


def _flags(model: ResponseModel, values: FloatArray, missing: tuple[str, ...]) -> list[Flag]:
    flags = [
        Flag("missing-predictor", f"{name} is missing and was expected from the others.", subject=name)
        for name in missing
    ]
    for name, value in zip(model.names, values, strict=True):
        low, high = model.ranges[name]
        if value < low or value > high:
            message = (
                f"{name} is {value:.3g}, outside {low:.3g} to {high:.3g} of the patients behind the model."
            )
            limit = low if value < low else high
            flags.append(Flag("extrapolation", message, "caution", name, float(value), limit))
    return flags
