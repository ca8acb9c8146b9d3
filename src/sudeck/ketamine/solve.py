"""Concentrations of a course, exactly: between two changes of the input the system is linear.

State, areas under the curves, the input and a slow effect compartment stand in one augmented matrix, whose
exponential (SciPy) carries all of them over an interval at once: d/dt y = M y with y = [x, area, effect, u].
There is no step size and no integrator; many people or models are one batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.ketamine.pk_models import System
from sudeck.ketamine.regimen import Regimen, constant_rates

Floats = NDArray[np.float64]
_SAME_H = 1e-9


@dataclass(frozen=True, slots=True)
class PlasmaCurve:
    """What a regimen makes of the plasma.

    Attributes
    ----------
    times_h : array (times,)
        Hours since midnight before day 1.
    ng_per_ml : array (..., substances, times)
        Concentrations; ketamine first, norketamine second where the model has it. At the moment of a bolus,
        after it.
    area : array (..., substances, times)
        Area under each up to then, mg h/L.
    effect_ng_per_ml : array (..., times)
        Ketamine in an effect compartment, in terms of plasma; zeros where none was asked for.
    """

    times_h: Floats
    ng_per_ml: Floats
    area: Floats
    effect_ng_per_ml: Floats


def solve_course(
    system: System, regimen: Regimen, times_h: Floats | list[float], *, effect_per_h: float = 0.0
) -> PlasmaCurve:
    """Return concentrations and areas of a regimen.

    Parameters
    ----------
    system : System
        Of one person, or a batch of people or models.
    regimen : Regimen
    times_h : sequence of float
        In increasing order.
    effect_per_h : float
        Rate constant of an effect compartment, d effect = k (plasma - effect).
    """
    times = np.asarray(times_h, dtype=float)
    changes, rates, boluses = constant_rates(regimen.doses)
    moments = np.unique(np.concatenate([times, changes]))
    batch = system.rates.shape[:-2]
    n, k = system.rates.shape[-1], system.outputs.shape[-2]
    matrix = _augmented(system, effect_per_h)
    state = np.zeros((*batch, matrix.shape[-1]))
    known: dict[float, Floats] = {}
    kept = np.zeros((*batch, 2 * k + 1, times.size))
    before = moments[0]
    for moment in moments:
        elapsed = round(float(moment - before), 9)
        if elapsed > _SAME_H:
            state = np.einsum("...ij,...j->...i", _carried(matrix, elapsed, known), state)
            before = moment
        place = np.flatnonzero(changes == moment)
        if place.size:
            state[..., 0] += boluses[place[0]]
            state[..., -1] = rates[place[0]]
        wanted = np.flatnonzero(times == moment)
        if wanted.size:
            plasma = np.einsum("...kn,...n->...k", system.outputs, state[..., :n])
            kept[..., :k, wanted] = plasma[..., None]
            kept[..., k:, wanted] = state[..., n : n + k + 1, None]
    return PlasmaCurve(times, 1e3 * kept[..., :k, :], kept[..., k : 2 * k, :], 1e3 * kept[..., -1, :])


def _augmented(system: System, effect_per_h: float) -> Floats:
    n, k = system.rates.shape[-1], system.outputs.shape[-2]
    matrix = np.zeros((*system.rates.shape[:-2], n + k + 2, n + k + 2))
    matrix[..., :n, :n] = system.rates
    matrix[..., n : n + k, :n] = system.outputs
    matrix[..., n + k, :n] = effect_per_h * system.outputs[..., 0, :]
    matrix[..., n + k, n + k] = -effect_per_h
    matrix[..., 0, -1] = 1.0
    return matrix


def _carried(matrix: Floats, elapsed: float, known: dict[float, Floats]) -> Floats:
    """Return the exponential over an interval; regimens repeat themselves, so few are worked out."""
    from scipy.linalg import expm

    if elapsed not in known:
        known[elapsed] = np.asarray(expm(matrix * elapsed))
    return known[elapsed]


def time_grid(regimen: Regimen, *, after_h: float = 24.0, step_h: float = 0.25) -> Floats:
    """Return times over a course, every change of its input among them."""
    changes, _, _ = constant_rates(regimen.doses)
    ends = np.append(changes[1:], changes[-1] + after_h)
    parts = [
        np.linspace(start, end, max(2, min(round((end - start) / step_h), 200) + 1))
        for start, end in zip(changes, ends, strict=True)
        if end > start
    ]
    return np.unique(np.concatenate(parts))
