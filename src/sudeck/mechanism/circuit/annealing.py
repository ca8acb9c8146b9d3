"""Sequential Monte Carlo: draws led from a prior to a posterior in steps (Del Moral and colleagues 2006)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from sudeck.mechanism.circuit.parameters import Floats
from sudeck.mechanism.circuit.pulses import Ints

Density = Callable[[Floats], Floats]

KEPT: Final = 0.5  # effective share of the draws after each step
_MOST_STEPS: Final = 200
_LENGTHS: Final = (0.8, 0.5, 0.3, 0.15)  # of the moves, in standard deviations of the draws
# Moves are repeated until the draws have gone this far, in squared standard deviations a dimension.
_DISTANCE: Final = 1.0
_MOST_ROUNDS: Final = 6


class Annealed(NamedTuple):
    """Draws of a posterior.

    Attributes
    ----------
    draws : array, shape (dimensions, n)
        Equally likely.
    log_likelihood : array, shape (n,)
    log_evidence : float
    acceptance : float
        Share of Metropolis moves that were taken at the last steps.
    """

    draws: Floats
    log_likelihood: Floats
    log_evidence: float
    acceptance: float


def anneal(start: Floats, log_prior: Density, log_likelihood: Density, rng: np.random.Generator) -> Annealed:
    """Lead draws of a prior to the posterior.

    Parameters
    ----------
    start : array, shape (dimensions, n)
        Draws of the prior.
    log_prior, log_likelihood : callable
        From positions of shape (dimensions, n) to (n,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal = lambda x: -0.5 * (x**2).sum(axis=0)
    >>> found = anneal(rng.standard_normal((1, 4000)), normal, lambda x: -0.5 * (x[0] - 2) ** 2 / 0.25, rng)
    >>> bool(abs(found.draws.mean() - 1.6) < 0.05), bool(abs(found.log_evidence + 2.405) < 0.1)
    (True, True)
    """
    position, count = start, start.shape[1]
    prior, likelihood = log_prior(position), log_likelihood(position)
    reached, evidence, acceptance = 0.0, 0.0, 0.0
    for _ in range(_MOST_STEPS):
        step = _next_step(likelihood, 1.0 - reached)
        shift = likelihood.max()
        evidence += step * shift + float(np.log(np.exp(step * (likelihood - shift)).mean()))
        reached += step
        kept = resample(rng, normalised(step * likelihood))
        position, prior, likelihood = position[:, kept], prior[kept], likelihood[kept]
        position, prior, likelihood, acceptance = _move(
            position, prior, likelihood, reached, log_prior, log_likelihood, rng
        )
        if reached >= 1.0:
            break
    return Annealed(position.reshape(-1, count), likelihood, evidence, acceptance)


class Cloud(NamedTuple):
    """A normal distribution with the mean and covariance of draws, from which moves are proposed."""

    middle: Floats
    factor: Floats

    @classmethod
    def of(cls, position: Floats) -> Cloud:
        """Return the cloud of draws of shape (dimensions, n)."""
        size = len(position)
        covariance = np.atleast_2d(np.cov(position))
        ridge = 1e-6 * np.trace(covariance) / size * np.eye(size)
        return cls(position.mean(axis=1, keepdims=True), np.linalg.cholesky(covariance + ridge))

    def propose(self, position: Floats, length: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return moved positions, and the log ratio of the densities of moving back and of moving there.

        Shrinking towards the middle keeps a normal density as it is, whatever the length.
        """
        moved = self.middle + np.sqrt(1 - length**2) * (position - self.middle)
        moved += length * self.factor @ rng.standard_normal(position.shape)
        return moved, self._log_density(position) - self._log_density(moved)

    def _log_density(self, position: Floats) -> Floats:
        from scipy.linalg import solve_triangular

        white = solve_triangular(self.factor, position - self.middle, lower=True)
        return np.asarray(-0.5 * (white**2).sum(axis=0))


def _move(
    position: Floats,
    prior: Floats,
    likelihood: Floats,
    reached: float,
    log_prior: Density,
    log_likelihood: Density,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats, float]:
    """Move draws by Metropolis steps that leave their density as it is, until they have gone far enough."""
    cloud, count = Cloud.of(position), position.shape[1]
    gone, accepted = 0.0, []
    for _ in range(_MOST_ROUNDS):
        for length in _LENGTHS:
            moved, back = cloud.propose(position, length, rng)
            new_prior, new_likelihood = log_prior(moved), log_likelihood(moved)
            gain = new_prior - prior + reached * (new_likelihood - likelihood) + back
            taken = np.log(rng.random(count)) < gain
            accepted.append(float(taken.mean()))
            gone += 2 * (1 - np.sqrt(1 - length**2)) * float(taken.mean())
            position = np.where(taken, moved, position)
            prior = np.where(taken, new_prior, prior)
            likelihood = np.where(taken, new_likelihood, likelihood)
        if gone >= _DISTANCE:
            break
    return position, prior, likelihood, float(np.mean(accepted))


def walk(position: Floats, log_density: Density, steps: int, rng: np.random.Generator) -> Floats:
    """Return draws after a number of Metropolis steps that leave a density as it is."""
    cloud, here = Cloud.of(position), log_density(position)
    for step in range(steps):
        moved, back = cloud.propose(position, _LENGTHS[step % len(_LENGTHS)], rng)
        there = log_density(moved)
        taken = np.log(rng.random(position.shape[1])) < there - here + back
        position, here = np.where(taken, moved, position), np.where(taken, there, here)
    return position


def _next_step(log_likelihood: Floats, left: float) -> float:
    """Return the largest step (at most what is left) that keeps the wanted share of the draws effective."""
    if effective_share(normalised(left * log_likelihood)) >= KEPT:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = (low + high) / 2
        enough = effective_share(normalised(middle * log_likelihood)) >= KEPT
        low, high = (middle, high) if enough else (low, middle)
    return high


def effective_share(weight: Floats) -> float:
    """Return the effective sample size of weights that sum to one, as a share of their number."""
    return float(1 / (weight**2).sum() / weight.size)


def normalised(log_weight: Floats) -> Floats:
    """Return weights that sum to one."""
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def resample(rng: np.random.Generator, weight: Floats) -> Ints:
    """Return indices of draws in proportion to their weights, with the least noise (systematic)."""
    at = (rng.random() + np.arange(weight.size)) / weight.size
    return np.minimum(np.searchsorted(np.cumsum(weight), at), weight.size - 1)
