"""Ridge-penalised logistic regression, and the strength of the penalty by an information criterion.

The penalty is scale-free: -penalty/2 times the sum of (SD of predictor × coefficient)². Two conventions are
in use for the same thing: `rms::lrm(penalty=p)` is ``penalty=p`` with the SD over n - 1; `glmnet(lambda=l,
alpha=0)` is ``penalty=n*l`` with the SD over n (``sd_ddof=0``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.regression.logistic import LogisticFit, bernoulli_log_likelihood, maximise_logistic

PENALTY_GRID: Final = tuple(float(penalty) for penalty in 2.0 ** np.arange(-2, 9))


@dataclass(frozen=True)
class RidgeFit:
    """A ridge logistic regression, or a stack of them.

    Attributes
    ----------
    coefficients : array, shape (..., k)
        The intercept, in the first column, is not penalised.
    covariance : array, shape (..., k, k)
        Inverse of the penalised information: spread around a value that is shrunk on purpose.
    penalty : array, shape (...)
    effective_df : array, shape (...)
        Effective number of coefficients without the intercept.
    """

    coefficients: FloatArray
    covariance: FloatArray
    penalty: FloatArray
    effective_df: FloatArray


def fit_ridge(
    design: FloatArray,
    outcome: FloatArray,
    *,
    penalty: float | None = None,
    weights: FloatArray | None = None,
    sd_ddof: int = 1,
) -> RidgeFit:
    """Fit a ridge logistic regression.

    Parameters
    ----------
    design : array, shape (n, k) or (..., n, k)
        Column of ones first.
    outcome : array, shape (n,)
    penalty : float, optional
        Unless given, the value of `PENALTY_GRID` with the largest likelihood ratio χ² - 2 × effective degrees
        of freedom (Gray 1992, JASA 87:942-951; what ``rms::pentrace`` maximises), for each fit of the stack.
    weights : array, shape (..., n), optional
    sd_ddof : int
        See the top of the module.
    """
    w = np.ones(design.shape[-2]) if weights is None else weights
    scale = _penalty_matrix(design, w, sd_ddof)
    if penalty is not None:
        fit = maximise_logistic(design, outcome, weights=weights, ridge=penalty * scale)
        return _described(fit, penalty * scale, np.full(fit.log_likelihood.shape, penalty))
    fits, worth = [], []
    for candidate in PENALTY_GRID:
        fit = maximise_logistic(design, outcome, weights=weights, ridge=candidate * scale)
        described = _described(fit, candidate * scale, np.full(fit.log_likelihood.shape, candidate))
        eta = (design @ fit.coefficients[..., None])[..., 0]
        likelihood = (w * bernoulli_log_likelihood(outcome, eta)).sum(axis=-1)
        fits.append(described)
        worth.append(likelihood - described.effective_df)
    best = np.argmax(np.array(worth), axis=0)
    return RidgeFit(
        _pick([fit.coefficients for fit in fits], best),
        _pick([fit.covariance for fit in fits], best),
        _pick([fit.penalty for fit in fits], best),
        _pick([fit.effective_df for fit in fits], best),
    )


def _penalty_matrix(design: FloatArray, weights: FloatArray, ddof: int) -> FloatArray:
    total = weights.sum(axis=-1)[..., None]
    # Centred first, or the difference of two large sums would lose the digits of a small spread.
    centred = design - design.mean(axis=-2, keepdims=True)
    mean = (weights[..., None, :] @ centred)[..., 0, :] / total
    square = (weights[..., None, :] @ centred**2)[..., 0, :]
    variance = (square - total * mean**2) / (total - ddof)
    variance[..., 0] = 0.0
    return np.asarray(np.maximum(variance, 0.0)[..., None] * np.eye(design.shape[-1]))


def _described(fit: LogisticFit, ridge: FloatArray, penalty: FloatArray) -> RidgeFit:
    covariance = np.asarray(np.linalg.pinv(fit.information + ridge, hermitian=True), dtype=np.float64)
    effective = np.trace(fit.information @ covariance, axis1=-2, axis2=-1) - 1.0
    return RidgeFit(fit.coefficients, covariance, penalty, np.asarray(effective))


def _pick(stacks: list[FloatArray], best: np.ndarray) -> FloatArray:
    stack = np.array(stacks)
    index = best.reshape((1, *best.shape, *([1] * (stack.ndim - 1 - best.ndim))))
    return np.asarray(np.take_along_axis(stack, index, axis=0)[0])
