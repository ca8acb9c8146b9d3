"""The circuit linearised at a patient's best fit: where every later step begins, and what a measure tells."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sudeck.core.errors import InputError
from sudeck.mechanism.circuit.factors import N_VISIT, apply_visit, prior_sd_of_visit
from sudeck.mechanism.circuit.parameters import Circuit, Floats, select
from sudeck.mechanism.circuit.patient_data import PatientData, predict_logs
from sudeck.mechanism.circuit.pulses import Ints

_DT_MS: Final = 0.2
_DIFFERENCE: Final = 0.05


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
    from sudeck.mechanism.circuit.engines import require_engine

    require_engine()
    laplace = fit_laplace(data, reference, 5)
    best = np.array([int(laplace.log_evidence.argmax())])
    every = (*data.keys, *further)
    blank = np.zeros(len(every))
    wider = PatientData(data.patient, data.visits, every, blank, np.eye(len(every)), ())
    circuit, position = select(reference, best), laplace.centre[:, best]
    predicted = predict(wider, circuit, position, np.zeros(1, int))
    return np.asarray(_slopes(wider, circuit, position, predicted)[0])


def fit_laplace(data: PatientData, reference: Circuit, steps: int) -> Laplace:
    """Climb to the mode from every reference circuit, all in one batch, and linearise there."""
    members, size = reference.n_circuits, N_VISIT * len(data.visits)
    every = np.arange(members)
    precision = np.linalg.inv(data.covariance)
    prior = np.diag(1 / _prior_sd(len(data.visits)) ** 2)
    position = np.zeros((size, members))
    damping = np.full(members, 1.0)
    predicted = predict(data, reference, position, every)
    if np.isnan(predicted).all():
        raise InputError(f"Patient {data.patient}", "the reference circuits do not respond", "calibrate anew")
    score = log_likelihood(data, predicted) + log_prior(position, len(data.visits))
    slope = _slopes(data, reference, position, predicted)
    for _ in range(steps):
        trial = np.empty_like(position)
        for m in every:
            hessian = slope[m].T @ precision @ slope[m] + prior
            misfit = data.log_value - np.nan_to_num(predicted[:, m])
            gradient = slope[m].T @ precision @ misfit - prior @ position[:, m]
            damped = hessian + damping[m] * prior
            trial[:, m] = position[:, m] + np.clip(np.linalg.solve(damped, gradient), -1.0, 1.0)
        seen = predict(data, reference, trial, every)
        new = log_likelihood(data, seen) + log_prior(trial, len(data.visits))
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
    seen = predict(data, reference, moved.reshape(size, -1), every).reshape(-1, N_VISIT, members)
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
                apply_visit(circuits, visit_position(position, visit)),
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


def predict(data: PatientData, reference: Circuit, position: Floats, member: Ints) -> Floats:
    """Return the log measures of every position on its reference circuit, shape (observations, n)."""
    return _pick(data, _simulate(data, reference, position, member))


def visit_position(position: Floats, visit: int) -> Floats:
    """Return the factors of a visit, shape (12, n): the baseline, or baseline plus change."""
    baseline = position[:N_VISIT]
    return baseline if visit == 0 else baseline + position[visit * N_VISIT : (visit + 1) * N_VISIT]


def _prior_sd(visits: int) -> Floats:
    return np.tile(prior_sd_of_visit(), visits)


def log_prior(position: Floats, visits: int) -> Floats:
    """Return the log density of positions before any measure, shape (n,)."""
    scaled = position / _prior_sd(visits)[:, None]
    constant = np.log(2 * np.pi) * len(scaled) / 2 + np.log(_prior_sd(visits)).sum()
    return np.asarray(-0.5 * (scaled**2).sum(axis=0) - constant)


def log_likelihood(data: PatientData, predicted: Floats) -> Floats:
    """Return the log density of the measures where they were predicted so; none is minus infinity."""
    misfit = data.log_value[:, None] - predicted
    white = np.linalg.solve(np.linalg.cholesky(data.covariance), np.nan_to_num(misfit))
    constant = 0.5 * np.linalg.slogdet(2 * np.pi * data.covariance)[1]
    value = -0.5 * (white**2).sum(axis=0) - constant
    return np.where(np.isnan(misfit).any(axis=0), -np.inf, value)
