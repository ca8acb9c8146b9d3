"""What one patient's measures say about the factors of both hemispheres: a posterior with exact likelihood.

The circuit is deterministic and the errors are normal on the log scale, so the likelihood is explicit. Each
reference circuit is fitted by Gauss-Newton steps. Draws about the fits are then led to the posterior by
annealed importance weights: in small steps from the linearised to the exact density, resampled and moved by
Metropolis steps that simulate the circuit (sequential Monte Carlo, Del Moral and colleagues 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit.factors import N_VISIT, apply_visit, prior_sd_of_visit
from sudeck.mechanism.circuit.parameters import Circuit, Floats, select
from sudeck.mechanism.circuit.patient_data import PatientData, predict_logs
from sudeck.mechanism.circuit.pulses import Ints

_DT_MS: Final = 0.2
_DIFFERENCE: Final = 0.05
_WIDER: Final = 1.2  # how far the first draws go beyond the fits, in their standard deviations
_KEPT: Final = 0.5  # effective share of the draws after each step
_MOST_STEPS: Final = 10
_LENGTHS: Final = (0.7, 0.4)  # of the Metropolis moves, in standard deviations of the draws
LOW_ACCEPTANCE: Final = 0.08


class Laplace(NamedTuple):
    """Fits of every reference circuit.

    Attributes
    ----------
    centre : array, shape (dimensions, circuits)
    covariance : array, shape (circuits, dimensions, dimensions)
    log_evidence : array, shape (circuits,)
    slope : array, shape (circuits, observations, dimensions)
    """

    centre: Floats
    covariance: Floats
    log_evidence: Floats
    slope: Floats


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
        return _visit_position(self.draws, visit)


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
    laplace = _fit_laplace(data, reference, steps)
    start = laplace._replace(covariance=_WIDER**2 * laplace.covariance)
    member = rng.choice(reference.n_circuits, size=draws, p=_shares(laplace))
    position = _gaussian(rng, member, start.centre, start.covariance)

    def densities(x: Floats, of: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the linearised and the exact log density of draws, and their log measures."""
        predicted = _predict(data, reference, x, of)
        exact = _log_likelihood(data, predicted) + _log_prior(x, len(data.visits))
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


def infer_slopes(data: PatientData, reference: Circuit, further: tuple[tuple[int, int, str], ...]) -> Floats:
    """Return the derivatives of made and of further observations at the best fit of a patient.

    Parameters
    ----------
    data : PatientData
    reference : Circuit
    further : tuple of (visit, hemisphere, measure)

    Returns
    -------
    array, shape (made + further, 12 · visits)
    """
    from sudeck.mechanism.circuit.fast_stepper import require_jax

    require_jax()
    laplace = _fit_laplace(data, reference, 5)
    best = np.array([int(laplace.log_evidence.argmax())])
    every = (*data.keys, *further)
    blank = np.zeros(len(every))
    wider = PatientData(data.patient, data.visits, every, blank, np.eye(len(every)), ())
    circuit, position = select(reference, best), laplace.centre[:, best]
    predicted = _predict(wider, circuit, position, np.zeros(1, int))
    return np.asarray(_slopes(wider, circuit, position, predicted)[0])


def _fit_laplace(data: PatientData, reference: Circuit, steps: int) -> Laplace:
    """Climb to the mode from every reference circuit, all in one batch, and linearise there."""
    members, size = reference.n_circuits, N_VISIT * len(data.visits)
    every = np.arange(members)
    precision = np.linalg.inv(data.covariance)
    prior = np.diag(1 / _prior_sd(len(data.visits)) ** 2)
    position = np.zeros((size, members))
    damping = np.full(members, 1.0)
    predicted = _predict(data, reference, position, every)
    if np.isnan(predicted).all():
        raise InputError(f"Patient {data.patient}", "the reference circuits do not respond", "calibrate anew")
    score = _log_likelihood(data, predicted) + _log_prior(position, len(data.visits))
    slope = _slopes(data, reference, position, predicted)
    for _ in range(steps):
        trial = np.empty_like(position)
        for m in every:
            hessian = slope[m].T @ precision @ slope[m] + prior
            misfit = data.log_value - np.nan_to_num(predicted[:, m])
            gradient = slope[m].T @ precision @ misfit - prior @ position[:, m]
            damped = hessian + damping[m] * prior
            trial[:, m] = position[:, m] + np.clip(np.linalg.solve(damped, gradient), -1.0, 1.0)
        seen = _predict(data, reference, trial, every)
        new = _log_likelihood(data, seen) + _log_prior(trial, len(data.visits))
        better = new > score
        position, score = np.where(better, trial, position), np.where(better, new, score)
        predicted = np.where(better, seen, predicted)
        damping = np.clip(damping * np.where(better, 0.2, 5.0), 1e-3, 1e3)
        slope = _slopes(data, reference, position, predicted)
    covariance = np.stack([np.linalg.inv(slope[m].T @ precision @ slope[m] + prior) for m in every])
    determinant = np.array([np.linalg.slogdet(c)[1] for c in covariance])
    return Laplace(position, covariance, score + 0.5 * determinant, slope)


def _slopes(data: PatientData, reference: Circuit, position: Floats, predicted: Floats) -> Floats:
    """Return the derivatives of the observations, shape (members, observations, dimensions)."""
    size, members = position.shape
    # A later visit's factors are baseline plus change, so derivatives by visit are enough.
    moved = position[:, None, :] + np.zeros((size, N_VISIT, 1))
    moved[:N_VISIT] += _DIFFERENCE * np.eye(N_VISIT)[:, :, None]
    every = np.tile(np.arange(members), N_VISIT)
    seen = _predict(data, reference, moved.reshape(size, -1), every).reshape(-1, N_VISIT, members)
    by_visit = np.nan_to_num((seen - predicted[:, None, :]) / _DIFFERENCE)
    slope = np.zeros((members, len(data.keys), size))
    slope[:, :, :N_VISIT] = by_visit.transpose(2, 0, 1)
    for row, (visit, _, _) in enumerate(data.keys):
        if visit:
            slope[:, row, visit * N_VISIT : (visit + 1) * N_VISIT] = slope[:, row, :N_VISIT]
    return slope


def _wanted(data: PatientData) -> tuple[tuple[int, str], ...]:
    """Return every (hemisphere, measure) of any visit."""
    return tuple(dict.fromkeys((side, name) for _, side, name in data.keys))


def _simulate(data: PatientData, reference: Circuit, position: Floats, member: Ints) -> Floats:
    """Return log measures of every visit, shape (visits, hemisphere-measures, n)."""
    circuits = select(reference, member)
    return np.stack(
        [
            predict_logs(
                apply_visit(circuits, _visit_position(position, visit)),
                _wanted(data),
                dt_ms=_DT_MS,
                engine="jax",
            )
            for visit in range(len(data.visits))
        ]
    )


def _pick(data: PatientData, seen: Floats) -> Floats:
    """Return the observations among the measures of every visit, shape (observations, n)."""
    wanted = _wanted(data)
    return np.stack([seen[visit, wanted.index((side, name))] for visit, side, name in data.keys])


def _predict(data: PatientData, reference: Circuit, position: Floats, member: Ints) -> Floats:
    """Return the log measures of every position on its reference circuit, shape (observations, n)."""
    return _pick(data, _simulate(data, reference, position, member))


def _visit_position(position: Floats, visit: int) -> Floats:
    baseline = position[:N_VISIT]
    return baseline if visit == 0 else baseline + position[visit * N_VISIT : (visit + 1) * N_VISIT]


def _prior_sd(visits: int) -> Floats:
    return np.tile(prior_sd_of_visit(), visits)


def _log_prior(position: Floats, visits: int) -> Floats:
    scaled = position / _prior_sd(visits)[:, None]
    constant = np.log(2 * np.pi) * len(scaled) / 2 + np.log(_prior_sd(visits)).sum()
    return np.asarray(-0.5 * (scaled**2).sum(axis=0) - constant)


def _log_likelihood(data: PatientData, predicted: Floats) -> Floats:
    misfit = data.log_value[:, None] - predicted
    white = np.linalg.solve(np.linalg.cholesky(data.covariance), np.nan_to_num(misfit))
    constant = 0.5 * np.linalg.slogdet(2 * np.pi * data.covariance)[1]
    value = -0.5 * (white**2).sum(axis=0) - constant
    return np.where(np.isnan(misfit).any(axis=0), -np.inf, value)


def _gaussian(rng: np.random.Generator, member: Ints, centre: Floats, covariance: Floats) -> Floats:
    factor = np.linalg.cholesky(covariance)
    normal = rng.standard_normal((member.size, centre.shape[0]))
    return np.asarray(centre[:, member] + np.einsum("nij,nj->in", factor[member], normal))


def _normalised(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())
