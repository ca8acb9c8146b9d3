"""What one patient's measures say about the factors of both hemispheres: a posterior with exact likelihood.

The circuit is deterministic and the errors are normal on the log scale, so the likelihood is explicit. Each
reference circuit is fitted by Gauss-Newton steps. Draws about the fits are then led to the posterior by
annealed importance weights: in small steps from the linearised to the exact density, resampled and moved by
Metropolis steps that simulate the circuit (sequential Monte Carlo, Del Moral and colleagues 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.core.flags import Flag
from sudeck.mechanism.circuit.linearisation import (
    Laplace,
    fit_laplace,
    log_likelihood,
    log_prior,
    predict,
    visit_position,
)
from sudeck.mechanism.circuit.parameters import Circuit, Floats
from sudeck.mechanism.circuit.patient_data import PatientData
from sudeck.mechanism.circuit.pulses import Ints

_WIDER: Final = 1.2  # how far the first draws go beyond the fits, in their standard deviations
_KEPT: Final = 0.5  # effective share of the draws after each step
_MOST_STEPS: Final = 10
_LENGTHS: Final = (0.7, 0.4)  # of the Metropolis moves, in standard deviations of the draws
LOW_ACCEPTANCE: Final = 0.08


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws of a patient's factors.

    Attributes
    ----------
    data : PatientData
    draws : array, shape (12 · visits, draws)
        Baseline first, then the change of each later visit.
    weight : array, shape (draws,)
        Sums to one.
    effective : float
        Effective sample size, as a share of the draws, had the linearised draws been weighted at once.
    acceptance : float
        Share of Metropolis moves that were taken.
    exact : bool
        Whether the draws were led all the way to the exact density.
    predicted : array, shape (observations, draws)
        Log measures of each draw.
    laplace : Laplace
    flags : tuple of Flag
    """

    data: PatientData
    draws: Floats
    weight: Floats
    effective: float
    acceptance: float
    exact: bool
    predicted: Floats
    laplace: Laplace
    flags: tuple[Flag, ...]

    def of_visit(self, visit: int) -> Floats:
        """Return the draws of a visit's factors, shape (12, draws)."""
        return visit_position(self.draws, visit)


def infer(
    data: PatientData, reference: Circuit, *, draws: int = 400, steps: int = 6, seed: int = 0
) -> Posterior:
    """Infer a patient's factors.

    Parameters
    ----------
    data : PatientData
    reference : Circuit
        Healthy circuits, equally likely beforehand.
    draws : int
    steps : int
        Gauss-Newton steps.
    seed : int

    Raises
    ------
    MissingDependencyError
        If JAX is not installed.
    InputError
        If no reference circuit can be fitted.
    """
    from sudeck.mechanism.circuit.fast_stepper import require_jax

    require_jax()
    rng = np.random.default_rng(seed)
    laplace = fit_laplace(data, reference, steps)
    start = laplace._replace(covariance=_WIDER**2 * laplace.covariance)
    member = rng.choice(reference.n_circuits, size=draws, p=_shares(laplace))
    position = _gaussian(rng, member, start.centre, start.covariance)

    def densities(x: Floats, of: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the linearised and the exact log density of draws, and their log measures."""
        predicted = predict(data, reference, x, of)
        exact = log_likelihood(data, predicted) + log_prior(x, len(data.visits))
        return _log_gaussian(x, of, start) + np.log(_shares(laplace)[of]), exact, predicted

    linear, exact, predicted = densities(position, member)
    effective = float(1 / (_normalised(exact - linear) ** 2).sum() / draws)
    reached, accepted = 0.0, []
    for _ in range(_MOST_STEPS):
        step = _next_step(exact - linear, 1.0 - reached)
        weight = _normalised(step * (exact - linear))
        reached += step
        kept = _resample(rng, weight)
        position, member = position[:, kept], member[kept]
        linear, exact, predicted = linear[kept], exact[kept], predicted[:, kept]
        factor = np.linalg.cholesky(np.cov(position) + 1e-5 * np.eye(len(position)))
        for length in _LENGTHS:
            middle = position.mean(axis=1, keepdims=True)
            # Shrinking towards the mean keeps a normal density as it is, whatever the length.
            moved = middle + np.sqrt(1 - length**2) * (position - middle)
            moved += length * factor @ rng.standard_normal(position.shape)
            new_linear, new_exact, new_predicted = densities(moved, member)
            back = _log_normal(position - middle, factor) - _log_normal(moved - middle, factor)
            gain = (1 - reached) * (new_linear - linear) + reached * (new_exact - exact) + back
            better = np.log(rng.random(draws)) < gain
            accepted.append(float(better.mean()))
            position = np.where(better, moved, position)
            linear, exact = np.where(better, new_linear, linear), np.where(better, new_exact, exact)
            predicted = np.where(better, new_predicted, predicted)
        if reached >= 1.0:
            break
    even = np.full(draws, 1 / draws)
    acceptance = float(np.mean(accepted))
    flags = data.flags
    if reached < 1.0 or acceptance < LOW_ACCEPTANCE:
        flags += (
            Flag(
                "sampling-incomplete",
                f"The draws reached {100 * reached:.0f} % of the way to the posterior and moved in "
                f"{100 * acceptance:.0f} % of the trials: take intervals as approximate.",
                "caution",
                str(data.patient),
                value=acceptance,
                limit=LOW_ACCEPTANCE,
            ),
        )
    return Posterior(data, position, even, effective, acceptance, reached >= 1.0, predicted, laplace, flags)


def _next_step(log_ratio: Floats, left: float) -> float:
    """Return the largest step (at most what is left) that keeps half of the draws effective."""

    def effective(step: float) -> float:
        return float(1 / (_normalised(step * log_ratio) ** 2).sum() / log_ratio.size)

    if effective(left) >= _KEPT:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= _KEPT else (low, middle)
    return low


def _resample(rng: np.random.Generator, weight: Floats) -> Ints:
    """Return indices of draws in proportion to their weights, with the least noise (systematic)."""
    at = (rng.random() + np.arange(weight.size)) / weight.size
    return np.minimum(np.searchsorted(np.cumsum(weight), at), weight.size - 1)


def _shares(laplace: Laplace) -> Floats:
    """Return how often to draw each reference circuit: by its evidence, and none never."""
    share = _normalised(laplace.log_evidence)
    return np.asarray(0.7 * share + 0.3 / share.size)


def _log_normal(away: Floats, factor: Floats) -> Floats:
    """Return the log density of a normal distribution up to a constant, for its Cholesky factor."""
    return np.asarray(-0.5 * (np.linalg.solve(factor, away) ** 2).sum(axis=0))


def _log_gaussian(position: Floats, member: Ints, start: Laplace) -> Floats:
    """Return the log density about each draw's own reference circuit."""
    factor = np.linalg.cholesky(start.covariance)
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    away = (position - start.centre[:, member]).T[:, :, None]
    white = np.linalg.solve(factor[member], away)[:, :, 0]
    constant = 0.5 * position.shape[0] * np.log(2 * np.pi)
    return np.asarray(-0.5 * (white**2).sum(axis=1) - log_det[member] - constant)


def _gaussian(rng: np.random.Generator, member: Ints, centre: Floats, covariance: Floats) -> Floats:
    factor = np.linalg.cholesky(covariance)
    normal = rng.standard_normal((member.size, centre.shape[0]))
    return np.asarray(centre[:, member] + np.einsum("nij,nj->in", factor[member], normal))


def _normalised(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())
