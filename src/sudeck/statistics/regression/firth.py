"""Firth's penalised logistic regression: finite and nearly unbiased even when the data separate.

Kept by hand: it is a penalty within the engine of `logistic`, whose bootstraps are one array operation.

Firth 1993, Biometrika 80:27-38; Heinze & Schemper 2002, Statistics in Medicine 21:2409-2419 (profile
intervals); Puhr et al. 2017, Statistics in Medicine 36:2302-2317 (the intercept correction FLIC).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.regression.logistic import LogisticFit, expit, maximise_logistic

SEConvention = Literal["fisher", "augmented"]
_FAR_BELOW = 1e12  # a likelihood further below the best than this, infinitely perhaps, is far below


@dataclass(frozen=True)
class FirthFit:
    """A Firth-penalised logistic regression.

    Attributes
    ----------
    coefficients : tuple of Estimate
        Log odds ratios; the interval is the profile penalised likelihood interval, ``se`` follows
        `se_convention`.
    p_values : tuple of float
        Penalised likelihood ratio test of each coefficient.
    covariance : array, shape (k, k)
        Inverse information, by `se_convention`.
    se_convention : {"fisher", "augmented"}
        Two conventions are in use. "fisher": information of the unpenalised likelihood at the penalised
        estimate. "augmented": information of the data augmented by their leverages, which is larger, so the
        standard errors are smaller.
    penalised_log_likelihood : float
    n, events : int
    """

    coefficients: tuple[Estimate, ...]
    p_values: tuple[float, ...]
    covariance: FloatArray
    se_convention: SEConvention
    penalised_log_likelihood: float
    n: int
    events: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients, in order."""
        return tuple(coefficient.name for coefficient in self.coefficients)

    @property
    def values(self) -> FloatArray:
        """The coefficients as an array, shape (k,)."""
        return np.array([coefficient.value for coefficient in self.coefficients])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "coefficients": [
                {**coefficient.to_dict(), "p": p}
                for coefficient, p in zip(self.coefficients, self.p_values, strict=True)
            ],
            "covariance": self.covariance.tolist(),
            "se_convention": self.se_convention,
            "penalised_log_likelihood": self.penalised_log_likelihood,
            "n": self.n,
            "events": self.events,
        }

    def __str__(self) -> str:
        lines = [f"Firth logistic regression, {self.n} patients, {self.events} events"]
        lines += [
            f"  {coefficient}, P = {p:.3g}"
            for coefficient, p in zip(self.coefficients, self.p_values, strict=True)
        ]
        return "\n".join(lines)


def fit_firth(
    design: ArrayLike,
    outcome: ArrayLike,
    *,
    names: Sequence[str],
    level: float = 0.95,
    se_convention: SEConvention = "fisher",
) -> FirthFit:
    """Fit a logistic regression with Firth's penalty and profile intervals.

    Parameters
    ----------
    design : array, shape (n, k)
        Predictors, with the column of ones first if there is an intercept.
    outcome : array, shape (n,)
        0 and 1.
    names : sequence of str
        One name a column.
    level : float
        Coverage of the intervals.
    se_convention : {"fisher", "augmented"}
        See `FirthFit`.

    Raises
    ------
    InputError
        If the shapes disagree, a value is missing, the columns are linearly dependent, or one class is empty.

    Examples
    --------
    Two groups of four, one without a single event: maximum likelihood would run to infinity.

    >>> fit = fit_firth([[1, 0]] * 4 + [[1, 1]] * 4, [0] * 4 + [0, 1, 1, 1], names=["intercept", "group"])
    >>> round(fit.coefficients[1].value, 3)
    3.045
    """
    X, y = _checked(design, outcome, names)
    fit = maximise_logistic(X, y, firth=True)
    lows, highs = profile_interval(X, y, fit, level=level)
    p_values = tuple(penalised_ratio_test(X, y, fit, [j]) for j in range(X.shape[1]))
    covariance = np.asarray(np.linalg.inv(_information(X, fit, se_convention)), dtype=np.float64)
    method = f"Firth logistic regression, profile penalised likelihood interval, {se_convention} SE"
    coefficients = tuple(
        Estimate(
            name,
            float(fit.coefficients[j]),
            float(lows[j]),
            float(highs[j]),
            level=level,
            unit="log odds",
            method=method,
            n=len(y),
            n_unit="patients",
            se=float(np.sqrt(covariance[j, j])),
        )
        for j, name in enumerate(names)
    )
    return FirthFit(
        coefficients, p_values, covariance, se_convention, float(fit.log_likelihood), len(y), int(y.sum())
    )


def penalised_ratio_test(
    design: FloatArray, outcome: FloatArray, fit: LogisticFit, columns: Sequence[int]
) -> float:
    """Return the P value of the penalised likelihood ratio test that the given coefficients are all zero.

    The penalty keeps all columns under the null, so that the two likelihoods are comparable
    (Heinze & Schemper 2002).
    """
    from scipy.stats import chi2

    free = np.ones(design.shape[1], bool)
    free[list(columns)] = False
    null = maximise_logistic(design, outcome, firth=True, free=free)
    statistic = 2.0 * (float(fit.log_likelihood) - float(null.log_likelihood))
    return float(chi2.sf(max(statistic, 0.0), len(columns)))


def profile_interval(
    design: FloatArray, outcome: FloatArray, fit: LogisticFit, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return the profile penalised likelihood interval of every coefficient, all bounds searched together.

    The signed root of the likelihood ratio is almost a straight line in the coefficient, so a secant on it
    needs three or four steps from the Wald bound; a bracket guards it. A bound that is not met within
    40 standard errors is infinite.

    Returns
    -------
    low, high : arrays, shape (k,)
    """
    k = design.shape[1]
    z = normal_quantile(level)
    best = fit.coefficients
    covariance = np.linalg.inv(fit.information)
    se = np.sqrt(np.diag(covariance))
    column = np.tile(np.arange(k), 2)
    sign = np.repeat([-1.0, 1.0], k)
    free = column[:, None] != np.arange(k)
    # As one coefficient moves by a standard error the others follow it: of predictors that almost repeat each
    # other, one alone would be moved to where the data hold no information.
    way = sign[:, None] * covariance[column] / se[column, None]

    # In standard errors from the estimate: `inner` has a root below z, `outer` above it once bracketed.
    inner, outer = np.zeros(2 * k), np.full(2 * k, np.inf)
    inner_root, inner_beta = np.zeros(2 * k), np.tile(best, (2 * k, 1))
    distance = np.full(2 * k, z)
    for _ in range(60):
        start = inner_beta + way * (distance - inner)[:, None]
        profile = maximise_logistic(design, outcome, firth=True, free=free, start=start)
        fallen = 2.0 * (float(fit.log_likelihood) - profile.log_likelihood)
        root = np.sqrt(np.clip(np.where(np.isnan(fallen), _FAR_BELOW, fallen), 0.0, _FAR_BELOW))
        done = (np.abs(root - z) < 1e-7) | (distance > 40.0)
        if bool(done.all()):
            break
        below = root < z
        slope = (root - inner_root) / np.maximum(distance - inner, 1e-12)
        inner_root = np.where(below, root, inner_root)
        inner_beta = np.where(below[:, None], profile.coefficients, inner_beta)
        inner = np.where(below, distance, inner)
        outer = np.where(below, outer, distance)
        secant = distance + (z - root) / np.maximum(slope, 1e-6)
        widest = np.where(np.isfinite(outer), outer, 3.0 * np.maximum(distance, 1.0))
        inside = (secant > inner) & (secant < widest)
        fallback = np.where(np.isfinite(outer), (inner + outer) / 2, widest)
        distance = np.where(done, distance, np.where(inside, secant, fallback))
    bound = np.where(distance > 40.0, sign * np.inf, best[column] + sign * distance * se[column])
    return bound[:k], bound[k:]


def corrected_intercept(
    linear_predictor: FloatArray, outcome: FloatArray, *, weights: FloatArray | None = None
) -> FloatArray:
    """Return the shift that makes the mean predicted probability equal the observed proportion (FLIC).

    Firth's penalty pulls predicted probabilities towards one half; the slopes are wanted, that pull is not.

    Parameters
    ----------
    linear_predictor : array, shape (..., n)
    outcome : array, shape (n,)
    weights : array, shape (..., n), optional

    Returns
    -------
    array, shape (...)
    """
    ones = np.ones((outcome.shape[-1], 1))
    fit = maximise_logistic(ones, outcome, weights=weights, offset=linear_predictor)
    return np.asarray(fit.coefficients[..., 0])


def _information(design: FloatArray, fit: LogisticFit, convention: SEConvention) -> FloatArray:
    if convention == "fisher":
        return fit.information
    p = expit(design @ fit.coefficients)
    variance = p * (1.0 - p)
    leverage = variance * np.einsum("nk,kl,nl->n", design, np.linalg.inv(fit.information), design)
    return np.asarray((design.T * (variance * (1.0 + leverage))) @ design)


def _checked(design: ArrayLike, outcome: ArrayLike, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    X = np.asarray(design, dtype=np.float64)
    y = both_classes(outcome, subject="the outcome of the logistic regression")
    if X.ndim != 2 or X.shape != (len(y), len(names)):
        raise InputError(
            "the predictors", f"shape {X.shape} does not fit {len(y)} patients and {len(names)} names",
            "give one row a patient and one name a column",
        )  # fmt: skip
    if not np.isfinite(X).all():
        raise InputError("the predictors", "a value is missing", "impute or drop that patient first")
    scaled = X / np.maximum(np.linalg.norm(X, axis=0), 1e-300)
    if np.linalg.matrix_rank(scaled, tol=1e-8) < X.shape[1]:
        raise InputError(
            "the predictors",
            f"the columns {', '.join(names)} are linearly dependent",
            "leave one out (on the log scale BPr/VPr is BPr/TPr times TPr/VPr)",
        )
    return X, y
