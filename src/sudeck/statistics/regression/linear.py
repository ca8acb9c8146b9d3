"""Ordinary least squares for relief as a continuous outcome, one fit or a stack of weighted resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sudeck.core.errors import InputError
from sudeck.statistics.arrays import FloatArray


@dataclass(frozen=True)
class LinearFit:
    """Result of `fit_linear`; leading axes are those of the stack of weights.

    Attributes
    ----------
    coefficients : array, shape (..., k)
    covariance : array, shape (..., k, k)
        Classical: residual variance times the inverse of X'WX.
    residual_variance : array, shape (...)
    degrees_of_freedom : float
        Patients minus coefficients.
    r_squared : array, shape (...)
    """

    coefficients: FloatArray
    covariance: FloatArray
    residual_variance: FloatArray
    degrees_of_freedom: float
    r_squared: FloatArray


def fit_linear(design: FloatArray, outcome: FloatArray, *, weights: FloatArray | None = None) -> LinearFit:
    """Fit ordinary least squares; `weights` say how often each patient counts.

    Parameters
    ----------
    design : array, shape (n, k) or (..., n, k)
        With its column of ones.
    outcome : array, shape (n,) or (..., n)
    weights : array, shape (..., n), optional

    Raises
    ------
    InputError
        If there are not more patients than coefficients.
    """
    n, k = design.shape[-2:]
    if n <= k:
        raise InputError(
            "the linear model", f"{n} patients cannot carry {k} coefficients", "declare fewer covariates"
        )
    w = np.ones(n) if weights is None else weights
    weighted = np.swapaxes(design, -1, -2) * w[..., None, :]
    gram = weighted @ design
    inverse = np.linalg.pinv(gram, hermitian=True)
    beta = (inverse @ (weighted @ outcome[..., None]))[..., 0]
    residual = outcome - (design @ beta[..., None])[..., 0]
    total = w.sum(axis=-1)
    mean = (w * outcome).sum(axis=-1) / total
    error = (w * residual**2).sum(axis=-1)
    spread = (w * (outcome - np.asarray(mean)[..., None]) ** 2).sum(axis=-1)
    variance = np.asarray(error / (total - k))
    return LinearFit(
        np.asarray(beta),
        np.asarray(variance[..., None, None] * inverse),
        variance,
        float(n - k),
        np.asarray(1.0 - error / np.maximum(spread, 1e-300)),
    )
