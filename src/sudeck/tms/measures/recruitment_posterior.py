"""The posterior of a recruitment curve: mode by BFGS, then importance sampling from a wider Student t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

FloatArray = NDArray[np.float64]

# Errors of ln amplitude: Student's t with these degrees of freedom; 4 lets a stray trial go.
ERROR_DF = 4.0
_PROPOSAL_DF = 3.0
_DRAWS = (1500, 1500, 4000)
_KEPT = 2000
_STARTS = 300
_MIN_EFFECTIVE = 50
_PARAMETERS = 5
# Trials held at one floor are equal to the last digit: without a bound their scatter would be nothing.
_LEAST_LOG_SD = float(np.log(0.05))


@dataclass(frozen=True, slots=True)
class SigmoidPosterior:
    """Draws of the parameters of a sigmoid, each of shape (d,), all of equal weight.

    Where `by_factor` is set a draw is a sigmoid of the logarithm of intensity (a Hill curve), else one of
    intensity (a Boltzmann curve); `s50` and `width`, the distance from it over which the odds grow by e
    there, mean the same of both.
    """

    s50: FloatArray
    width: FloatArray
    mep_max: FloatArray
    baseline: FloatArray
    log_sd: FloatArray
    by_factor: NDArray[np.bool_]

    def share(self, intensity_mso: float | FloatArray) -> FloatArray:
        """Return the share of MEPmax recruited at an intensity, shape (d,), or at several, shape (d, x)."""
        at = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
        s50, factor = self.s50[:, None], self.by_factor[:, None]
        # Only of draws by factor are the logarithms used, and there intensity is above zero.
        distance = np.where(factor, s50 * np.log(np.where(factor, at / s50, 1.0)), at - s50)
        share: FloatArray = expit(distance / self.width[:, None])
        return share if np.ndim(intensity_mso) else share[:, 0]

    def curve(self, intensity_mso: FloatArray) -> FloatArray:
        """Return the amplitude at each intensity, shape (d, x)."""
        curve: FloatArray = self.baseline[:, None] + self.mep_max[:, None] * self.share(intensity_mso)
        return curve


@dataclass(frozen=True, slots=True)
class _Target:
    """Log posterior of (S50, ln k, ln M, ln b, ln σ) given the trials.

    The priors are normal and weak, placed by the data's own range so that any muscle and unit will do: S50 in
    the tested range, k about a tenth of the intensity, MEPmax somewhat above the largest block, baseline
    below the smallest, scatter about the usual 0.6.
    """

    tested: FloatArray
    which: NDArray[np.intp]
    log_amplitude: FloatArray
    centre: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, intensity: FloatArray, log_amplitude: FloatArray) -> _Target:
        order = np.argsort(intensity, kind="stable")
        share = max(3, intensity.size // 5)
        smallest = float(np.median(log_amplitude[order[:share]]))
        largest = max(smallest, float(np.median(log_amplitude[order[-share:]])))
        low, high = float(intensity.min()), float(intensity.max())
        scale = max(abs(low + high) / 2, high - low)
        centre = np.array(
            [(low + high) / 2, np.log(0.08 * scale), largest + 0.2, smallest - 0.7, np.log(0.6)]
        )
        spread = np.array([0.6 * (high - low), 0.7, 0.7, 0.8, 0.4])
        tested, which = np.unique(intensity, return_inverse=True)
        return cls(tested, which, log_amplitude, centre, spread)

    def __call__(self, parameters: FloatArray) -> FloatArray:
        """Log posterior density of parameters of shape (..., 5), up to a constant."""
        s50, log_width, log_max, log_base, log_sd = np.moveaxis(parameters[..., None], -2, 0)
        log_sd = np.maximum(log_sd, _LEAST_LOG_SD)
        share = expit((self.tested - s50) * np.exp(-log_width))
        predicted = np.log(np.exp(log_base) + np.exp(log_max) * share)
        z = (self.log_amplitude - predicted[..., self.which]) * np.exp(-log_sd)
        likelihood = -(ERROR_DF + 1) / 2 * np.log1p(z**2 / ERROR_DF) - log_sd
        prior = -0.5 * (((parameters - self.centre) / self.spread) ** 2).sum(axis=-1)
        total: FloatArray = likelihood.sum(axis=-1) + prior
        return total


def sample_sigmoid(
    intensity: FloatArray, log_amplitude: FloatArray, rng: np.random.Generator
) -> SigmoidPosterior:
    """Sample the posterior of a recruitment curve.

    Which sigmoid a muscle follows is not known: one of intensity (Boltzmann) and one of its logarithm (Hill)
    are beforehand as likely, and each has draws by how well it explains the trials.

    Parameters
    ----------
    intensity, log_amplitude : ndarray, shape (n,)
        Intensity and ln amplitude of each trial.
    rng : numpy.random.Generator
        Source of the draws.
    """
    middle = (float(intensity.min()) + float(intensity.max())) / 2
    draws, evidence = _sample(intensity, log_amplitude, rng)
    n_factor = 0
    if intensity.min() > 0:
        # An axis of logarithms on which %MSO about the middle is %MSO: the same priors hold on it.
        by_factor, other = _sample(middle * (1 + np.log(intensity / middle)), log_amplitude, rng)
        n_factor = round(_KEPT * float(expit(other - evidence)))
        s50 = middle * np.exp(by_factor[:, 0] / middle - 1)
        by_factor = np.column_stack([s50, by_factor[:, 1] + np.log(s50 / middle), by_factor[:, 2:]])
        draws = np.concatenate([rng.permutation(draws)[n_factor:], rng.permutation(by_factor)[:n_factor]])
    s50, log_width, log_max, log_base, log_sd = draws.T
    which = np.arange(len(draws)) >= len(draws) - n_factor
    return SigmoidPosterior(s50, np.exp(log_width), np.exp(log_max), np.exp(log_base), np.exp(log_sd), which)


def _sample(
    intensity: FloatArray, log_amplitude: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """Return draws of the parameters, shape (d, 5), and the logarithm of the evidence up to a constant."""
    target = _Target.of(intensity, log_amplitude)
    mean, covariance = _mode(target, rng)
    draws, log_weight = _importance(target, mean, covariance, rng, _DRAWS[0])
    for count in _DRAWS[1:]:
        # Adapt: a proposal from the moments of the sample follows a skew that the mode can not see.
        weight = _weights(log_weight)
        if (weight**2).sum() > 1 / _MIN_EFFECTIVE:  # a few draws carry it all: take a broader view
            weight = np.sqrt(weight) / np.sqrt(weight).sum()
        mean = weight @ draws
        covariance = np.cov(draws.T, aweights=weight) + 1e-10 * np.diag(target.spread**2)
        draws, log_weight = _importance(target, mean, covariance, rng, count)
    size = np.linalg.slogdet(covariance)[1] / 2 - np.log(target.spread).sum()
    evidence = float(logsumexp(log_weight) - np.log(len(draws)) + size)
    # Systematic resampling: evenly spaced positions along the cumulative weight.
    position = (np.arange(_KEPT) + rng.random()) / _KEPT
    kept = np.minimum(np.searchsorted(np.cumsum(_weights(log_weight)), position), len(draws) - 1)
    return draws[kept], evidence


def _mode(target: _Target, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    from scipy.optimize import minimize

    starts = target.centre + target.spread * rng.standard_normal((_STARTS, _PARAMETERS))
    start = starts[int(np.argmax(target(starts)))]

    def lost(z: FloatArray) -> float:
        return -float(target(target.centre + target.spread * z))

    def gradient(z: FloatArray) -> FloatArray:
        steps = 1e-5 * np.vstack([np.eye(_PARAMETERS), -np.eye(_PARAMETERS)])
        values = -target(target.centre + target.spread * (z + steps))
        slope: FloatArray = (values[:_PARAMETERS] - values[_PARAMETERS:]) / 2e-5
        return slope

    best = minimize(lost, (start - target.centre) / target.spread, jac=gradient, method="BFGS", tol=1e-4).x
    step = 1e-3
    hessian = np.array(
        [
            (gradient(best + step * unit) - gradient(best - step * unit)) / (2 * step)
            for unit in np.eye(_PARAMETERS)
        ]
    )
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    # In prior units no direction can be wider than the prior itself, whatever the local curvature says.
    covariance = (vectors / np.maximum(values, 1.0)) @ vectors.T
    mode = target.centre + target.spread * best
    return mode, covariance * np.outer(target.spread, target.spread)


def _importance(
    target: _Target, mean: FloatArray, covariance: FloatArray, rng: np.random.Generator, count: int
) -> tuple[FloatArray, FloatArray]:
    normal = rng.standard_normal((count, _PARAMETERS))
    stretch = np.sqrt(rng.chisquare(_PROPOSAL_DF, count) / _PROPOSAL_DF)
    z = normal / stretch[:, None]
    draws = mean + z @ np.linalg.cholesky(covariance).T
    log_proposal = -(_PROPOSAL_DF + _PARAMETERS) / 2 * np.log1p((z**2).sum(axis=1) / _PROPOSAL_DF)
    return draws, target(draws) - log_proposal


def _weights(log_weight: FloatArray) -> FloatArray:
    """Return importance weights, truncated at √n times their mean (Ionides 2008): none may carry all."""
    weight: FloatArray = np.exp(log_weight - log_weight.max())
    np.minimum(weight, np.sqrt(weight.size) * weight.mean(), out=weight)
    weight /= weight.sum()
    return weight
