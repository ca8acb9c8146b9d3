"""A model from elsewhere on local patients: keep it, move it, stretch it or refit it; and one's own shrunk.

The closed test procedure of Vergouwe et al. 2017, Statistics in Medicine 36:4529-4539: the smallest change of
a model that the local patients do not contradict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.prediction.model_data import ModelData
from sudeck.prediction.response_model import ResponseModel
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.regression.firth import corrected_intercept
from sudeck.statistics.regression.logistic import (
    LogisticFit,
    bernoulli_log_likelihood,
    maximise_logistic,
    separated,
)

StepName = Literal["original", "intercept", "slope", "revision"]

STEPS: Final[tuple[StepName, ...]] = ("original", "intercept", "slope", "revision")


@dataclass(frozen=True)
class UpdateStep:
    """One way of updating, with what it estimates from the local patients.

    Attributes
    ----------
    name : {"original", "intercept", "slope", "revision"}
    coefficients : tuple of Estimate
        Nothing for the original; a new intercept; intercept and slope of the old linear predictor; or all
        coefficients anew.
    covariance : array, shape (p, p)
    log_likelihood : float
    p_against_revision : float or None
        Likelihood ratio test that this step is enough; ``None`` for the revision itself.
    """

    name: StepName
    coefficients: tuple[Estimate, ...]
    covariance: FloatArray
    log_likelihood: float
    p_against_revision: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "coefficients": [coefficient.to_dict() for coefficient in self.coefficients],
            "log_likelihood": self.log_likelihood,
            "p_against_revision": self.p_against_revision,
        }


@dataclass(frozen=True)
class ModelUpdate(Record):
    """All steps, and the one the closed test chooses.

    Attributes
    ----------
    steps : Mapping of str to UpdateStep
        Without ``"revision"`` if no predictors were given, or if they separate the local outcome.
    chosen : str
        First of original, intercept, slope that the fullest step does not beat at `alpha`; else the fullest.
    alpha : float
    n, events : int
    flags : tuple of Flag
    """

    steps: Mapping[str, UpdateStep]
    chosen: StepName
    alpha: float
    n: int
    events: int
    flags: tuple[Flag, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.n} local patients, {self.events} responders; closed test at {self.alpha:g}: {self.chosen}"
        ]
        for step in self.steps.values():
            p = (
                ""
                if step.p_against_revision is None
                else f" (new coefficients fit better than this: P = {step.p_against_revision:.2g})"
            )
            lines.append(f"  {step.name}{p}: " + ("; ".join(map(str, step.coefficients)) or "as it stands"))
        return "\n".join(lines)


def update_model(
    linear_predictor: ArrayLike,
    outcome: ArrayLike,
    *,
    design: ArrayLike | None = None,
    names: Sequence[str] = (),
    alpha: float = 0.05,
    level: float = 0.95,
) -> ModelUpdate:
    """Update a model on local patients step by step, and choose by the closed test.

    Parameters
    ----------
    linear_predictor : array, shape (n,)
        Log odds that the model from elsewhere predicts for the local patients.
    outcome : array, shape (n,)
    design : array, shape (n, k), optional
        Its predictors, without a column of ones, for the revision.
    names : sequence of str
        Of the predictors.
    alpha : float
        Level of the closed test, shared by all its comparisons.

    Raises
    ------
    InputError
        If a linear predictor is missing, does not vary, or one class is empty.
    """
    y = both_classes(outcome, subject="the update")
    eta = np.asarray(linear_predictor, dtype=np.float64)
    if eta.shape != y.shape or not np.isfinite(eta).all() or np.ptp(eta) == 0:
        raise InputError("the update", "a linear predictor is missing, or all are equal", "predict again")
    ones = np.ones((len(y), 1))
    intercept = maximise_logistic(ones, y, offset=eta)
    slope = maximise_logistic(np.column_stack([ones, eta]), y)
    flags = []
    steps = {
        "original": UpdateStep(
            "original", (), np.zeros((0, 0)), float(bernoulli_log_likelihood(y, eta).sum()), None
        ),
        "intercept": _step("intercept", intercept, ["shift of the intercept"], len(y), level),
        "slope": _step("slope", slope, ["intercept", "slope of the old predictor"], len(y), level),
    }
    if design is not None:
        X = np.column_stack([ones, np.asarray(design, dtype=np.float64)])
        revision = maximise_logistic(X, y)
        if bool(separated(revision, X)):
            message = "The local patients are separated by the predictors; a revision does not exist."
            flags.append(Flag("separated", message))
        else:
            steps["revision"] = _step("revision", revision, ["intercept", *names], len(y), level)
    fullest = list(steps.values())[-1]
    steps = {name: replace(step, p_against_revision=_p_value(step, fullest)) for name, step in steps.items()}
    chosen = next(
        step.name
        for step in steps.values()
        if step.p_against_revision is None or step.p_against_revision >= alpha
    )
    return ModelUpdate(steps, chosen, alpha, len(y), int(y.sum()), tuple(flags))


def recalibrated(model: ResponseModel, update: ModelUpdate) -> ResponseModel:
    """Return the model moved and stretched as chosen; its covariance then also holds the update's own.

    Raises
    ------
    InputError
        If the revision was chosen: then a new model has to be fitted to the local patients.
    """
    if update.chosen == "revision":
        raise InputError("the update", "the local patients call for a revision", "fit a new model to them")
    step = update.steps[update.chosen]
    values = [estimate.value for estimate in step.coefficients]
    move = values[0] if values else 0.0
    stretch = values[1] if len(values) > 1 else 1.0
    old = model.values / model.stretch
    old[0] += model.shift
    new = stretch * old
    new[0] += move
    gradient = np.column_stack([np.eye(len(old))[:, 0], old])[:, : len(values)]
    covariance = (stretch / model.stretch) ** 2 * model.covariance + gradient @ step.covariance @ gradient.T
    coefficients = tuple(
        Estimate.from_normal(
            estimate.name,
            float(value),
            math.sqrt(float(covariance[j, j])),
            level=estimate.level,
            unit=estimate.unit,
            method=f"{estimate.method}; {update.chosen} updated on {update.n} patients",
            n=estimate.n,
            n_unit=estimate.n_unit,
        )
        for j, (estimate, value) in enumerate(zip(model.coefficients, new, strict=True))
    )
    return replace(model, coefficients=coefficients, covariance=covariance, stretch=1.0, shift=0.0)


def shrunk(model: ResponseModel, data: ModelData, factor: float) -> ResponseModel:
    """Return a model whose predictions are drawn towards the mean by a uniform factor.

    A model fitted to few patients predicts too extremely in new ones, by the slope that the bootstrap finds:
    slopes are multiplied by it, and the intercept is moved so that the mean probability stays the share of
    responders (Steyerberg 2019, Clinical Prediction Models, chapter 13). The coefficients themselves are
    left, with their intervals and tests: they say what goes with response, not what to expect of one patient.

    Parameters
    ----------
    model : ResponseModel
        Of a yes/no outcome.
    data : ModelData
        The patients it was fitted to.
    factor : float
        Between 0 and 1.
    """
    stack = model.as_stack()
    eta = stack.linear_predictor(data.predictors.values, data.predictors.error)
    # The recalibrated intercept takes in the old one and its shift, each multiplied by the factor.
    moved = float(corrected_intercept(factor * eta, data.outcome))
    return replace(model, stretch=model.stretch / factor, shift=factor * model.shift + moved)


def _step(name: StepName, fit: LogisticFit, names: Sequence[str], n: int, level: float) -> UpdateStep:
    covariance = np.asarray(np.linalg.pinv(fit.information, hermitian=True), dtype=np.float64)
    coefficients = tuple(
        Estimate.from_normal(
            label,
            float(fit.coefficients[j]),
            math.sqrt(float(covariance[j, j])),
            level=level,
            unit="" if label.startswith("slope") else "log odds",
            method="maximum likelihood, Wald interval",
            n=n,
            n_unit="patients",
        )
        for j, label in enumerate(names)
    )
    return UpdateStep(name, coefficients, covariance, float(fit.log_likelihood), None)


def _p_value(step: UpdateStep, fullest: UpdateStep) -> float | None:
    from scipy.stats import chi2

    df = len(fullest.coefficients) - len(step.coefficients)
    if df <= 0:
        return None
    return float(chi2.sf(max(2 * (fullest.log_likelihood - step.log_likelihood), 0.0), df))
