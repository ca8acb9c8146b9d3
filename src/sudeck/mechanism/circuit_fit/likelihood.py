"""How likely a patient's measures are: under the circuit itself, and under a quick surrogate of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.engines import Engine
from sudeck.circuit.parameters import FITTED, Floats
from sudeck.mechanism.circuit_fit.emulator import EMULATED, Emulator
from sudeck.mechanism.circuit_fit.factors import N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.patient_data import PatientData, measure_logs

# A position of a patient: the healthy circuit, the factors at baseline, their change at each later visit.
N_CIRCUIT: Final = len(FITTED)
_DT_MS: Final = 0.1
_BATCH: Final = 512  # circuits simulated together: bounds the memory
_RIDGE: Final = 3.0  # of the local correction, in draws


def visit_position(factors: Floats, visit: int) -> Floats:
    """Return the factors of a visit, shape (12, n): the baseline, or baseline plus change."""
    baseline = factors[:N_VISIT]
    return baseline if visit == 0 else baseline + factors[visit * N_VISIT : (visit + 1) * N_VISIT]


def simulate_patient(data: PatientData, position: Floats, *, engine: Engine | None = None) -> Floats:
    """Return the log measures of positions by the circuit, shape (observations, n), or NaN."""
    batches = np.array_split(position, max(1, position.shape[1] // _BATCH), axis=1)
    return np.concatenate([_simulate(data, batch, engine) for batch in batches], axis=1)


def _simulate(data: PatientData, position: Floats, engine: Engine | None) -> Floats:
    healthy, used = circuits_at(position[:N_CIRCUIT]), data.weights
    predicted = np.zeros((len(data.keys), position.shape[1]))
    for visit in range(len(data.visits)):
        patient = apply_visit(healthy, visit_position(position[N_CIRCUIT:], visit))
        shown = measure_logs(patient, data.wanted, dt_ms=_DT_MS, engine=engine)
        # What an observation does not use must not spoil it where the circuit gives none.
        for row, part in zip(*np.nonzero(used[:, visit]), strict=True):
            predicted[row] += used[row, visit, part] * shown[part]
    return predicted


class NormalError:
    """Normal errors of the measures, with what people differ by integrated out.

    Parameters
    ----------
    data : PatientData
    further_sd : array, shape (observations,), optional
        Errors of a surrogate, on top.
    """

    def __init__(self, data: PatientData, further_sd: Floats | None = None) -> None:
        covariance = data.error_covariance
        if further_sd is not None:
            covariance = covariance + np.diag(further_sd**2)
        self._value = data.log_value
        self._white = np.linalg.inv(np.linalg.cholesky(covariance))
        self._constant = 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance)[1])

    def log_density(self, predicted: Floats) -> Floats:
        """Return the log density of the measures, shape (n,); minus infinity where one was not predicted."""
        misfit = self._value[:, None] - predicted
        known = np.isfinite(misfit).all(axis=0)
        value = -0.5 * ((self._white @ np.nan_to_num(misfit)) ** 2).sum(axis=0) - self._constant
        return np.where(known, value, -np.inf)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """The emulator, with a linear correction where one patient's draws lie.

    Attributes
    ----------
    data : PatientData
    emulator : Emulator
    error_sd : array, shape (observations,)
    middle, scale : array, shape (dimensions, 1)
        Of the draws that the correction was fitted to.
    correction : array, shape (observations, dimensions + 1)
        The last column is the constant.
    """

    data: PatientData
    emulator: Emulator
    error_sd: Floats
    middle: Floats
    scale: Floats
    correction: Floats

    @classmethod
    def of(cls, data: PatientData, emulator: Emulator) -> Surrogate:
        """Return the emulator as it is."""
        size = N_CIRCUIT + N_VISIT * len(data.visits)
        by_measure = emulator.error_sd[[EMULATED.index(name) for _, name in data.wanted]]
        error = np.sqrt((np.einsum("ovw,w->ow", data.weights, by_measure) ** 2).sum(axis=1))
        none = np.zeros((len(data.keys), size + 1))
        return cls(data, emulator, error, np.zeros((size, 1)), np.ones((size, 1)), none)

    def predict(self, position: Floats) -> Floats:
        """Return the log measures of positions, shape (observations, n)."""
        white = (position - self.middle) / self.scale
        return self._emulate(position) + self.correction[:, :-1] @ white + self.correction[:, -1:]

    def log_likelihood(self, position: Floats) -> Floats:
        """Return the log density of the measures at positions, shape (n,)."""
        return self._error.log_density(self.predict(position))

    def refine(self, position: Floats, simulated: Floats) -> Surrogate:
        """Return the surrogate corrected by what the circuit showed at draws about a patient.

        Parameters
        ----------
        position : array, shape (dimensions, n)
        simulated : array, shape (observations, n)
        """
        known = np.isfinite(simulated).all(axis=0)
        position, away = position[:, known], (simulated - self._emulate(position))[:, known]
        middle = position.mean(axis=1, keepdims=True)
        scale = position.std(axis=1, keepdims=True) + 1e-9
        inputs = np.concatenate([(position - middle) / scale, np.ones((1, position.shape[1]))])
        normal = inputs @ inputs.T + _RIDGE * np.eye(len(inputs))
        correction = np.linalg.solve(normal, inputs @ away.T).T
        left = away - correction @ inputs
        # Errors at draws that were not fitted are larger, by the share of each draw in its own fit.
        leverage = np.einsum("in,in->n", inputs, np.linalg.solve(normal, inputs))
        error = np.sqrt(((left / (1 - np.minimum(leverage, 0.9))) ** 2).mean(axis=1))
        return replace(self, error_sd=error, middle=middle, scale=scale, correction=correction)

    @cached_property
    def _error(self) -> NormalError:
        return NormalError(self.data, self.error_sd)

    def _emulate(self, position: Floats) -> Floats:
        circuit, factors = position[:N_CIRCUIT], position[N_CIRCUIT:]
        shown = [
            self.emulator.predict(circuit, visit_position(factors, visit), self.data.wanted)
            for visit in range(len(self.data.visits))
        ]
        return np.asarray(np.tensordot(self.data.weights, np.stack(shown), axes=2))
