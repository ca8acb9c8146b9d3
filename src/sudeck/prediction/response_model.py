"""The honest model: two log ratios and declared covariates, for response and for relief as it was scored.

Two ratios, because on the log scale the third is their sum. Firth's penalty, because a hundred patients
separate. Measurement error taken into account, because the ratios differ from 1 by little more than it.
Relief as a continuous outcome beside the yes/no one, because a cut through a scale throws information away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.prediction.arrays import FloatArray, binary_column, both_classes, numeric_column
from sudeck.prediction.firth import corrected_intercept, fit_firth, penalised_ratio_test
from sudeck.prediction.fitting import CompletedData, FittedStack, ModelPlan, average_distribution, complete
from sudeck.prediction.imputation import pool
from sudeck.prediction.linear import fit_linear
from sudeck.prediction.logistic import maximise_logistic, separated
from sudeck.prediction.measurement_error import PredictorDistribution, logistic_stretch
from sudeck.prediction.predictors import Predictors, declare_covariates, read_predictors
from sudeck.prediction.ridge import fit_ridge

if TYPE_CHECKING:
    import pandas as pd

_RATIO_COLUMNS = (1, 2)  # of the design: after the intercept
_FEW_EVENTS_PER_COEFFICIENT = 10
_WEAK_RELIABILITY = 0.5
_METHODS = {
    "firth": "Firth logistic regression",
    "ridge": "ridge logistic regression",
    "plain": "logistic regression",
    "linear": "least squares",
}


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


def fit_response_model(
    table: pd.DataFrame, plan: ModelPlan, *, rng: np.random.Generator, responder: str = "responder"
) -> ResponseModel:
    """Fit the probability of response.

    Parameters
    ----------
    table : DataFrame
        As for `ratios.read_ratios`, with the yes/no column `responder` and the declared covariates.
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
    data = model_data(table, plan, outcome=responder)
    both_classes(data.outcome, subject=f"outcome {responder}")
    return fit_model(data, plan, rng=rng)


def fit_relief_model(
    table: pd.DataFrame, plan: ModelPlan, *, rng: np.random.Generator, relief: str = "relief_percent"
) -> ResponseModel:
    """Fit relief as a continuous outcome by least squares, with the same predictors and corrections."""
    linear = replace(plan, likelihood="linear")
    return fit_model(model_data(table, linear, outcome=relief), linear, rng=rng)


def fit_model(data: ModelData, plan: ModelPlan, *, rng: np.random.Generator) -> ResponseModel:
    """Fit a plan to patients already collected."""
    predictors = data.predictors
    completed = complete(predictors.values, predictors.error, data.outcome, m=plan.imputations, rng=rng)
    names = ("intercept", *predictors.names)
    if len(completed.designs) == 1:
        fit = _fit_one(completed.designs[0], data.outcome, names, plan)
    else:
        fit = _fit_imputed(completed.designs, data.outcome, names, plan)
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


_OneFit = tuple[tuple[Estimate, ...], tuple[float, ...], FloatArray, float]


def _fit_one(design: FloatArray, y: FloatArray, names: Sequence[str], plan: ModelPlan) -> _OneFit:
    """Fit one complete data set, with the best interval and test its likelihood offers."""
    if plan.likelihood == "firth":
        fit = fit_firth(design, y, names=names, level=plan.level)
        raw = maximise_logistic(design, y, firth=True)
        joint = penalised_ratio_test(design, y, raw, _RATIO_COLUMNS)
        return fit.coefficients, fit.p_values, fit.covariance, joint
    values, covariances = _maximised(design[None], y, plan)
    df = float(len(y) - len(names)) if plan.likelihood == "linear" else math.inf
    joint = _joint_wald(values[0], covariances[0], df)
    return _wald(values[0], covariances[0], names, plan, df, joint, len(y))


def _maximised(designs: FloatArray, y: FloatArray, plan: ModelPlan) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and their covariance for each of a stack of complete data sets."""
    if plan.likelihood == "linear":
        linear = fit_linear(designs, y)
        return linear.coefficients, linear.covariance
    if plan.likelihood == "ridge":
        ridge = fit_ridge(designs, y, penalty=plan.ridge_penalty)
        return ridge.coefficients, ridge.covariance
    fit = maximise_logistic(designs, y, firth=plan.likelihood == "firth")
    return fit.coefficients, np.asarray(np.linalg.pinv(fit.information, hermitian=True), dtype=np.float64)


def _wald(
    values: FloatArray,
    covariance: FloatArray,
    names: Sequence[str],
    plan: ModelPlan,
    df: float,
    joint: float,
    n: int,
) -> _OneFit:
    from scipy.stats import t as student

    se = np.sqrt(np.diag(covariance))
    quantile = float(student.ppf(0.5 + plan.level / 2, df))
    estimates = tuple(
        Estimate.from_normal(
            name,
            float(value),
            float(error),
            level=plan.level,
            quantile=quantile,
            method=f"{_METHODS[plan.likelihood]}, {'Wald' if math.isinf(df) else 't'} interval",
            n=n,
            n_unit="patients",
            unit="" if plan.likelihood == "linear" else "log odds",
        )
        for name, value, error in zip(names, values, se, strict=True)
    )
    p_values = tuple(float(2 * student.sf(abs(v) / s, df)) for v, s in zip(values, se, strict=True))
    return estimates, p_values, covariance, joint


def _fit_imputed(designs: FloatArray, y: FloatArray, names: Sequence[str], plan: ModelPlan) -> _OneFit:
    """Fit every imputed data set and pool by Rubin's rules.

    The joint test is a Wald test with the smaller of the two ratios' degrees of freedom.
    """
    m, n = designs.shape[:2]
    values, covariances = _maximised(designs, y, plan)
    pooled = [
        pool(
            values[:, j],
            covariances[:, j, j],
            complete_df=float(n - len(names)),
            name=name,
            level=plan.level,
            unit="" if plan.likelihood == "linear" else "log odds",
            method=_METHODS[plan.likelihood],
        )
        for j, name in enumerate(names)
    ]
    total = covariances.mean(axis=0) + (1 + 1 / m) * np.cov(values, rowvar=False)
    df = min(pooled[j].degrees_of_freedom for j in _RATIO_COLUMNS)
    joint = _joint_wald(values.mean(axis=0), total, df)
    estimates = tuple(replace(p.estimate, n=n, n_unit="patients") for p in pooled)
    return estimates, tuple(p.p for p in pooled), total, joint


def _joint_wald(values: FloatArray, covariance: FloatArray, df: float) -> float:
    from scipy.stats import chi2
    from scipy.stats import f as fisher_f

    columns = list(_RATIO_COLUMNS)
    beta, block = values[columns], covariance[np.ix_(columns, columns)]
    statistic = float(beta @ np.linalg.solve(block, beta))
    if math.isinf(df):
        return float(chi2.sf(statistic, len(columns)))
    return float(fisher_f.sf(statistic / len(columns), len(columns), df))


def _flags(data: ModelData, plan: ModelPlan, completed: CompletedData) -> list[Flag]:
    flags = []
    if data.left_out:
        message = f"{data.left_out} patients have no outcome or no scan and took no part."
        flags.append(Flag("patients-left-out", message, "info", value=data.left_out))
    unknown = int((~data.predictors.error_known).sum())
    if 0 < unknown < data.n:
        message = f"{unknown} patients have no standard error; the mean of the others was used."
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
