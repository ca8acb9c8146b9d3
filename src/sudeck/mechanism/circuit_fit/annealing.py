"""Sequential Monte Carlo: draws led from a prior to a posterior in steps (Del Moral and colleagues 2006).

A draw has a position and belongs to a member of a mixture. Moves change the position in small steps, or the
member at once while the position stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sudeck.circuit.parameters import Floats
from sudeck.circuit.steppers.stimulus import Ints

KEPT: Final = 0.5  # effective share of the draws after each step
_MOST_STEPS: Final = 200
_LENGTHS: Final = (0.8, 0.5, 0.3)  # of the moves, in standard deviations of the draws
# Moves are repeated until the draws have gone this far, in squared standard deviations a dimension: at the
# last step further, because draws that were chosen again and again lie too close together.
_DISTANCE: Final = 0.5
_LAST_DISTANCE: Final = 2.0
_MOST_ROUNDS: Final = 12
_MOST_LAST_ROUNDS: Final = 30
# Variance of what moves are proposed from, over that of the draws, so that tails are reached.
_WIDER: Final = 1.2


class Draws(NamedTuple):
    """Draws of one density.

    Attributes
    ----------
    position : array, shape (dimensions, n)
    member : int array, shape (n,)
    """

    position: Floats
    member: Ints

    def at(self, index: Ints) -> Draws:
        """Return the draws at `index`."""
        return Draws(self.position[:, index], self.member[index])


Density = Callable[[Draws], Floats]


class Annealed(NamedTuple):
    """Draws of a posterior.

    Attributes
    ----------
    draws : Draws
        Equally likely.
    log_evidence, log_evidence_variance : float
        The Monte Carlo variance is that of independent draws, so a lower bound.
    acceptance : float
        Share of Metropolis moves that were taken at the last step.
    """

    draws: Draws
    log_evidence: float
    log_evidence_variance: float
    acceptance: float


def anneal(
    start: Draws,
    log_prior: Density,
    log_likelihood: Density,
    rng: np.random.Generator,
    *,
    members: int = 1,
    settle: bool = True,
) -> Annealed:
    """Lead draws of a prior to the posterior.

    Parameters
    ----------
    start : Draws
        Draws of the prior.
    log_prior, log_likelihood : callable
        From draws to log densities of shape (n,).
    members : int
        How many members the mixture has, equally likely beforehand.
    settle : bool
        Whether to move the draws far at the last step; not needed where they are led on anyway.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal = lambda x: -0.5 * (x.position**2).sum(axis=0)
    >>> start = Draws(rng.standard_normal((1, 4000)), np.zeros(4000, int))
    >>> found = anneal(start, normal, lambda x: -0.5 * (x.position[0] - 2) ** 2 / 0.25, rng)
    >>> bool(abs(found.draws.position.mean() - 1.6) < 0.05), bool(abs(found.log_evidence + 2.405) < 0.1)
    (True, True)
    """
    draws = start
    prior, likelihood = log_prior(draws), log_likelihood(draws)
    reached, evidence, variance, acceptance = 0.0, 0.0, 0.0, 0.0
    for _ in range(_MOST_STEPS):
        step = next_step(likelihood, 1.0 - reached)
        gained, doubt = log_mean(step * likelihood)
        evidence, variance = evidence + gained, variance + doubt
        reached += step
        kept = resample(rng, normalised(step * likelihood))
        draws, prior, likelihood = draws.at(kept), prior[kept], likelihood[kept]
        last = settle and reached >= 1.0
        clouds, gone, accepted = Clouds.of(draws.position), 0.0, []
        for _ in range(_MOST_LAST_ROUNDS if last else _MOST_ROUNDS):
            for length in (*_LENGTHS, None):
                moved, back = _propose(draws, clouds, length, members, rng)
                new_prior, new_likelihood = log_prior(moved), log_likelihood(moved)
                gain = new_prior - prior + reached * (new_likelihood - likelihood) + back
                taken = np.log(rng.random(gain.size)) < gain
                draws = choose(taken, moved, draws)
                prior = np.where(taken, new_prior, prior)
                likelihood = np.where(taken, new_likelihood, likelihood)
                if length is not None:
                    accepted.append(float(taken.mean()))
                    gone += 2 * (1 - np.sqrt(1 - length**2)) * accepted[-1]
            if gone >= (_LAST_DISTANCE if last else _DISTANCE):
                break
            if last:
                clouds = Clouds.of(draws.position)  # as they spread, so may the moves
        acceptance = float(np.mean(accepted))
        if reached >= 1.0:
            break
    else:
        raise RuntimeError("annealing did not reach the posterior")
    return Annealed(draws, evidence, variance, acceptance)


def walk(draws: Draws, log_density: Density, rng: np.random.Generator, *, members: int = 1) -> Draws:
    """Return draws after seven Metropolis steps that leave a density as it is.

    The lengths read the same from both ends, so that the walk as a whole is reversible.
    """
    clouds, here = Clouds.of(draws.position), log_density(draws)
    for length in (*_LENGTHS, None, *reversed(_LENGTHS)):
        moved, back = _propose(draws, clouds, length, members, rng)
        there = log_density(moved)
        taken = np.log(rng.random(here.size)) < there - here + back
        draws, here = choose(taken, moved, draws), np.where(taken, there, here)
    return draws


class Cloud(NamedTuple):
    """A normal distribution about draws and a little wider, from which moves are proposed."""

    middle: Floats
    factor: Floats
    inverse: Floats  # of the factor: multiplying by it is faster than solving

    @classmethod
    def of(cls, position: Floats) -> Cloud:
        """Return the cloud of positions of shape (dimensions, n)."""
        size = len(position)
        covariance = np.atleast_2d(np.cov(position))
        ridge = 1e-6 * np.trace(covariance) / size * np.eye(size)
        factor = np.linalg.cholesky(_WIDER * covariance + ridge)
        return cls(position.mean(axis=1, keepdims=True), factor, np.linalg.inv(factor))

    def move(self, position: Floats, length: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return moved positions, and the log ratio of the densities of moving back and of moving there."""
        white = self.inverse @ (position - self.middle)
        # Shrinking towards the middle keeps a normal density as it is, whatever the length.
        moved = np.sqrt(1 - length**2) * white + length * rng.standard_normal(white.shape)
        back = 0.5 * ((moved**2).sum(axis=0) - (white**2).sum(axis=0))
        return self.middle + self.factor @ moved, back


class Clouds(NamedTuple):
    """The clouds of the two halves of all draws: each half moves by that of the other.

    Draws that move by a cloud of their own, no wider than they are, are drawn together: 1,000 of them in 57
    dimensions lose a sixth of their variance, and the evidence is too low. Copies of one draw lie side by
    side, so in one half.
    """

    first: Cloud
    second: Cloud

    @classmethod
    def of(cls, position: Floats) -> Clouds:
        """Return the clouds of both halves of positions of shape (dimensions, n)."""
        return cls(*(Cloud.of(half) for half in np.array_split(position, 2, axis=1)))

    def move(self, position: Floats, length: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return what `Cloud.move` does, of each half by the cloud of the other."""
        first, second = np.array_split(position, 2, axis=1)
        parts = self.second.move(first, length, rng), self.first.move(second, length, rng)
        moved, back = zip(*parts, strict=True)
        return np.concatenate(moved, axis=1), np.concatenate(back)


def log_mean(log_weight: Floats) -> tuple[float, float]:
    """Return the logarithm of the mean of weights, and its variance were they independent."""
    shift = log_weight.max()
    value = float(shift + np.log(np.exp(log_weight - shift).mean()))
    return value, (1 / effective_share(normalised(log_weight)) - 1) / log_weight.size


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


def _propose(
    draws: Draws, clouds: Clouds, length: float | None, members: int, rng: np.random.Generator
) -> tuple[Draws, Floats]:
    """Return moved draws, and the log ratio of the densities of moving back and of moving there."""
    if length is None:
        return Draws(draws.position, rng.integers(members, size=draws.member.size)), np.zeros(
            draws.member.size
        )
    moved, back = clouds.move(draws.position, length, rng)
    return Draws(moved, draws.member), back


def choose(taken: npt.NDArray[np.bool_], moved: Draws, draws: Draws) -> Draws:
    """Return moved draws where they were taken, and the old ones elsewhere."""
    return Draws(np.where(taken, moved.position, draws.position), np.where(taken, moved.member, draws.member))


def next_step(log_likelihood: Floats, left: float) -> float:
    """Return the largest step (at most what is left) that keeps the wanted share of the draws effective."""
    if effective_share(normalised(left * log_likelihood)) >= KEPT:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = (low + high) / 2
        enough = effective_share(normalised(middle * log_likelihood)) >= KEPT
        low, high = (middle, high) if enough else (low, middle)
    return high
