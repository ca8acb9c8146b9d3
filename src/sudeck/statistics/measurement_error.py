"""Measurement error of the predictors: how much it weakens a slope, and how to undo that.

A ratio measured with error W = X + e makes a regression slope too small. In linear regression the naive
slopes tend to Λβ with Λ = (Σx + Σe)⁻¹ Σx: with one predictor Λ is the reliability ratio. *Regression
calibration* replaces what was measured by what is expected of the truth given it (Carroll et al. 2006,
Measurement Error in Nonlinear Models, chapter 4). The same conditional expectation fills a predictor that a
new patient lacks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.regression.logistic import solve_matrix

# No direction in the space of predictors may be claimed to be more than this share error: beyond it the
# correction multiplies slopes by ten and more and says nothing.
LARGEST_ERROR_SHARE = 0.9
_PROBIT_SCALE = 1.702  # a logistic curve is a normal one of this spread, to 1 % everywhere
_NO_SPREAD = 1e-140  # of a constant predictor beside one that varies
_SINGULAR = 1e-12  # a determinant this small beside its diagonal is rounding


@dataclass(frozen=True)
class PredictorDistribution:
    """Mean and covariance of the true predictors, and of what was measured; may be a stack of resamples.

    Attributes
    ----------
    mean : array, shape (..., k)
    covariance : array, shape (..., k, k)
        Of the true predictors: what was observed less the mean error.
    observed_covariance : array, shape (..., k, k)
    overwhelmed : bool
        Whether, somewhere in the stack, the error was so large that it had to be capped
        (`LARGEST_ERROR_SHARE`).
    """

    mean: FloatArray
    covariance: FloatArray
    observed_covariance: FloatArray
    overwhelmed: bool = False

    def among(self, rows: slice) -> PredictorDistribution:
        """Return some of the resamples of a stack."""
        return PredictorDistribution(
            self.mean[rows], self.covariance[rows], self.observed_covariance[rows], self.overwhelmed
        )

    def reliability(self) -> FloatArray:
        """Return the share of each predictor's observed variance that is true, shape (..., k)."""
        true = np.diagonal(self.covariance, axis1=-2, axis2=-1)
        observed = np.diagonal(self.observed_covariance, axis1=-2, axis2=-1)
        return np.asarray(true / observed)

    def attenuation(self) -> FloatArray:
        """Return Λ, shape (..., k, k): naive linear slopes tend to Λ times the true ones."""
        return solve_matrix(self.observed_covariance, self.covariance)

    def weakest_reliability(self) -> float:
        """Return the reliability of the least reliable combination of predictors: the least eigenvalue of Λ.

        Two ratios may each be reliable while their difference is mostly error.
        """
        return float(np.linalg.eigvals(self.attenuation()).real.min())


def predictor_distribution(
    observed: FloatArray, error: FloatArray, *, weights: FloatArray | None = None
) -> PredictorDistribution:
    """Estimate the distribution of the true predictors from measured ones with known error.

    Parameters
    ----------
    observed : array, shape (n, k) or (..., n, k)
        Complete.
    error : array, shape (n, k, k)
        Error covariance of each patient; zero for predictors known exactly.
    weights : array, shape (..., n), optional
        How often each patient counts.
    """
    n = observed.shape[-2]
    w = np.ones(n) if weights is None else weights
    total = w.sum(axis=-1)[..., None]
    mean = (w[..., None, :] @ observed)[..., 0, :] / total
    centred = observed - mean[..., None, :]
    covariance = np.swapaxes(centred, -1, -2) * w[..., None, :] @ centred / (total[..., None] - 1.0)
    noise = np.einsum("...n,nij->...ij", w, error) / total[..., None]
    if not noise.any():
        return PredictorDistribution(mean, covariance, covariance)
    true, overwhelmed = _subtract(covariance, noise)
    return PredictorDistribution(mean, true, covariance, overwhelmed)


def expected_truth(
    observed: FloatArray, error: FloatArray, distribution: PredictorDistribution
) -> tuple[FloatArray, FloatArray]:
    """Return the expected true predictors of each patient given what was measured, and how unsure that is.

    Missing values (NaN) are allowed: what is missing is expected from what is there. The patient's own error
    counts, so a patient measured badly is drawn further towards the mean than one measured well.

    Parameters
    ----------
    observed : array, shape (n, k) or (..., n, k)
    error : array, shape (n, k, k)
    distribution : PredictorDistribution
        One, or a stack.

    Returns
    -------
    expected : array, shape (..., n, k)
    uncertainty : array, shape (..., n, k, k)
        Covariance of the truth given the measurement.
    """
    missing = np.isnan(observed)
    sigma = distribution.covariance[..., None, :, :]
    if not error.any() and not missing.any():
        stack = distribution.mean.shape[:-1]
        return np.broadcast_to(observed, np.broadcast_shapes(observed.shape, (*stack, 1, 1))), np.zeros_like(
            sigma
        )
    if not missing.any() and not (error[:, 2:].any() or error[..., 2:].any()) and observed.shape[-1] > 1:
        found = _two_with_error(observed, error[:, :2, :2], distribution)
        if found is not None:
            return found
    deviation = np.where(missing, 0.0, observed - distribution.mean[..., None, :])
    hidden = missing[..., :, None] | missing[..., None, :]
    # A missing entry is taken out of the equations: nothing reads it, nothing depends on it.
    spread = np.where(hidden, 0.0, sigma + error) + missing[..., :, None] * np.eye(observed.shape[-1])
    link = np.where(missing[..., :, None], 0.0, sigma)
    gain = np.swapaxes(solve_matrix(spread, link), -1, -2)
    expected = distribution.mean[..., None, :] + (gain @ deviation[..., None])[..., 0]
    # What was measured without error is known, to the last bit.
    exact = ~missing & (np.diagonal(error, axis1=-2, axis2=-1) == 0.0)
    return np.asarray(np.where(exact, observed, expected)), np.asarray(sigma - gain @ link)


def _two_with_error(
    observed: FloatArray, error: FloatArray, distribution: PredictorDistribution
) -> tuple[FloatArray, FloatArray] | None:
    """Return the same, sooner, where all is measured and only the first two predictors have error.

    With E the error and S the covariance of these two given the others, the truth is expected at
    ``x - E (S + E)^-1 d``, d being how far x lies from what the others let expect. None where an S + E has no
    inverse.
    """
    sigma, k = distribution.covariance, observed.shape[-1]
    deviation = observed - distribution.mean[..., None, :]
    away, given = deviation[..., :2], sigma[..., :2, :2]
    if k > 2:
        weights = np.swapaxes(solve_matrix(sigma[..., 2:, 2:], sigma[..., 2:, :2]), -1, -2)
        away = away - deviation[..., 2:] @ np.swapaxes(weights, -1, -2)
        given = given - weights @ sigma[..., 2:, :2]
    total = given[..., None, :, :] + error
    (a, b), (c, d) = ([total[..., i, j] for j in (0, 1)] for i in (0, 1))
    determinant = a * d - b * c
    if not (determinant > _SINGULAR * a * d).all():
        return None
    inverse = np.stack([np.stack([d, -b], axis=-1), np.stack([-c, a], axis=-1)], axis=-2)
    pull = error @ (inverse / determinant[..., None, None])
    moved = observed[..., :2] - (pull @ away[..., None])[..., 0]
    exact = np.diagonal(error, axis1=-2, axis2=-1) == 0.0
    moved = np.where(exact, observed[..., :2], moved)
    rest = np.broadcast_to(observed[..., 2:], (*moved.shape[:-1], k - 2))
    uncertainty = np.zeros((*pull.shape[:-2], k, k))
    uncertainty[..., :2, :2] = error - pull @ error
    return np.concatenate([moved, rest], axis=-1), uncertainty


def logistic_stretch(slopes: FloatArray, uncertainty: FloatArray) -> float:
    """Return the factor from logistic slopes per unit of the expected truth to those per unit of the truth.

    A logistic curve averaged over what the measurement leaves open is flatter: in the probit approximation by
    sqrt(1 + b'Ub / 1.702²) (Carroll et al. 2006, section 4.8). Solved for the slopes b before the averaging.

    Parameters
    ----------
    slopes : array, shape (k,)
        Per unit of the expected truth.
    uncertainty : array, shape (k, k)
        Mean covariance of the truth given the measurement.

    Examples
    --------
    >>> round(logistic_stretch(np.array([1.0]), np.array([[0.3]])), 3)
    1.056
    """
    share = float(slopes @ uncertainty @ slopes) / _PROBIT_SCALE**2
    return 1.0 / math.sqrt(1.0 - min(share, LARGEST_ERROR_SHARE))


def _subtract(covariance: FloatArray, noise: FloatArray) -> tuple[FloatArray, bool]:
    """Take the noise from a covariance so that something positive is left in every direction."""
    size = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 1e-300))
    scale = size[..., :, None] * size[..., None, :]
    correlation = covariance / scale
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 1e-12))[..., None, :]
    inverse_root = vectors / np.sqrt(np.maximum(values, 1e-12))[..., None, :]
    share = np.swapaxes(inverse_root, -1, -2) @ (noise / scale) @ inverse_root
    shares, directions = np.linalg.eigh((share + np.swapaxes(share, -1, -2)) / 2)
    overwhelmed = bool((shares > LARGEST_ERROR_SHARE).any())
    kept = directions * (1.0 - np.clip(shares, 0.0, LARGEST_ERROR_SHARE))[..., None, :]
    true = root @ (kept @ np.swapaxes(directions, -1, -2)) @ np.swapaxes(root, -1, -2)
    # A predictor that is the same in all has no variance, and not one so small that dividing by it overflows.
    return np.where(scale < _NO_SPREAD, 0.0, true * scale), overwhelmed
