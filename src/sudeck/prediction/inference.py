"""Coefficients with intervals and tests from completed data, by the best means each likelihood offers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile
from sudeck.prediction.fitting import ModelPlan
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.imputation import pool
from sudeck.statistics.regression.firth import fit_firth, penalised_ratio_test
from sudeck.statistics.regression.linear import fit_linear
from sudeck.statistics.regression.logistic import maximise_logistic
from sudeck.statistics.regression.ridge import fit_ridge

RATIO_COLUMNS = (1, 2)  # of the design: after the intercept

_METHODS = {
    "firth": "Firth logistic regression",
    "ridge": "ridge logistic regression",
    "plain": "logistic regression",
    "linear": "least squares",
}

Inference = tuple[tuple[Estimate, ...], tuple[float, ...], FloatArray, float]


def fit_one(design: FloatArray, y: FloatArray, names: Sequence[str], plan: ModelPlan) -> Inference:
    """Fit one complete data set, with the best interval and test its likelihood offers."""
    if plan.likelihood == "firth":
        fit = fit_firth(design, y, names=names, level=plan.level)
        raw = maximise_logistic(design, y, firth=True)
        joint = penalised_ratio_test(design, y, raw, RATIO_COLUMNS)
        return fit.coefficients, fit.p_values, fit.covariance, joint
    values, covariances = _maximised(design[None], y, plan)
    df = float(len(y) - len(names)) if plan.likelihood == "linear" else math.inf
    joint = _joint_wald(values[0], covariances[0], df)
    return _wald(values[0], covariances[0], names, plan, df, joint, len(y))


def fit_imputed(designs: FloatArray, y: FloatArray, names: Sequence[str], plan: ModelPlan) -> Inference:
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
    df = min(pooled[j].degrees_of_freedom for j in RATIO_COLUMNS)
    joint = _joint_wald(values.mean(axis=0), total, df)
    estimates = tuple(replace(p.estimate, n=n, n_unit="patients") for p in pooled)
    return estimates, tuple(p.p for p in pooled), total, joint


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
) -> Inference:
    from scipy.stats import t as student

    se = np.sqrt(np.diag(covariance))
    quantile = t_quantile(plan.level, df)
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


def _joint_wald(values: FloatArray, covariance: FloatArray, df: float) -> float:
    from scipy.stats import chi2
    from scipy.stats import f as fisher_f

    columns = list(RATIO_COLUMNS)
    beta, block = values[columns], covariance[np.ix_(columns, columns)]
    statistic = float(beta @ np.linalg.pinv(block, hermitian=True) @ beta)
    if math.isinf(df):
        return float(chi2.sf(statistic, len(columns)))
    return float(fisher_f.sf(statistic / len(columns), len(columns), df))
