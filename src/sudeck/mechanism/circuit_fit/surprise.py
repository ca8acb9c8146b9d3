"""Whether a patient is one that the accounts foresee at all: a rival outside the model, and a check.

Both rest on what the circuits of all accounts would show, before any measure is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import load_distribution
from sudeck.circuit.steppers.stimulus import Ints
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import Surrogate
from sudeck.mechanism.circuit_fit.patient_data import PatientData

_DRAWS: Final = 4000
# The rival of all accounts: measures that stray from health in any direction, by this many times what the
# circuits of all accounts stray; assumed.
_OUTSIDE_SPREAD: Final = 2.0


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What patients of all accounts would show where this one was measured.

    Attributes
    ----------
    shown : array, shape (observations, n)
        Log measures of circuits, by the emulator.
    account : int array, shape (n,)
        Index into `hypotheses.ACCOUNTS`.
    noise : array, shape (observations, observations)
        Covariance of errors and of what people differ by.
    """

    shown: Floats
    account: Ints
    noise: Floats

    def at(self, rows: Ints) -> Foreseen:
        """Return what is foreseen of some of the observations."""
        return Foreseen(self.shown[rows], self.account, self.noise[np.ix_(rows, rows)])

    def log_outside(self, log_value: Floats) -> float:
        """Return the log density of measures where no circuit rules which of them move together how far.

        They are normal about the mean of all accounts, with a multiple of their covariance; beside it stand
        the habits of a person and the errors, as for the circuits.
        """
        middle, spread = self.shown.mean(axis=1), np.atleast_2d(np.cov(self.shown))
        covariance = _OUTSIDE_SPREAD**2 * spread + self.noise
        return float(_log_normal(log_value[:, None], middle, covariance)[0])

    def chance(self, log_value: Floats) -> tuple[float, int]:
        """Return in which share of patients of the accounts the measures are as unlikely (Box 1980).

        How likely measures are is judged by a normal distribution for each account; the share is counted
        among the patients themselves, so that it holds however crooked they are. Beside it stands the index
        of the measure that is furthest from what the others let expect, under the likeliest account.
        """
        noise = np.linalg.cholesky(self.noise + 1e-12 * np.eye(len(self.noise)))
        drawn = self.shown + noise @ np.random.default_rng(0).standard_normal(self.shown.shape)
        both = np.concatenate([log_value[:, None], drawn], axis=1)
        parts = [self._moments(row) for row in range(len(ACCOUNTS))]
        logs = np.stack([_log_normal(both, middle, covariance) for middle, covariance in parts])
        likely = np.logaddexp.reduce(logs, axis=0)
        middle, covariance = parts[int(logs[:, 0].argmax())]
        precise = np.linalg.inv(covariance)
        odd = np.abs(precise @ (log_value - middle)) / np.sqrt(np.diag(precise))
        return float((1 + (likely[1:] <= likely[0]).sum()) / likely.size), int(odd.argmax())

    def _moments(self, row: int) -> tuple[Floats, Floats]:
        own = self.shown[:, self.account == row]
        return own.mean(axis=1), np.atleast_2d(np.cov(own)) + self.noise


def foresee(data: PatientData) -> Foreseen:
    """Draw patients of all accounts, measured as this one was."""
    rng = np.random.default_rng(0)
    circuit = load_distribution().draw(_DRAWS, rng)
    factors, account = draw_factors(len(data.visits), _DRAWS, rng)
    shown = Surrogate.of(data, load_emulator()).predict(np.concatenate([circuit, factors]))
    return Foreseen(shown, account, data.person_covariance + np.diag(data.log_se**2))


def _log_normal(values: Floats, middle: Floats, covariance: Floats) -> Floats:
    white = np.linalg.solve(np.linalg.cholesky(covariance), values - middle[:, None])
    return np.asarray(-0.5 * ((white**2).sum(axis=0) + np.linalg.slogdet(2 * np.pi * covariance)[1]))
