"""Whether a patient is one that the accounts foresee at all: a rival outside them, and a check.

Both rest on what circuits would show, before any measure is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np

from sudeck.circuit.drugs import SHIFTS, SYNAPSES, apply_factors
from sudeck.circuit.parameters import Floats, select
from sudeck.circuit.reference import load_distribution, load_reference
from sudeck.circuit.steppers.stimulus import Ints
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import Surrogate
from sudeck.mechanism.circuit_fit.patient_data import PatientData, Wanted, measure_logs

_DRAWS: Final = 4000
# Half of the rival: measures that stray from health in any direction, by this many times what the circuits of
# all accounts stray; assumed.
_OUTSIDE_SPREAD: Final = 2.0
# The other half: one hemisphere in which one thing that the circuit knows is changed, whether an account
# names it or not. Sizes are round and the same for all, so that none of them favours a defect.
_DEFECTS: Final = (
    *((name, factor) for name in SYNAPSES for factor in (1 / 1.6, 1 / 1.2, 1.2, 1.6)),
    *((name, drive) for name in SHIFTS if name.startswith("drive") for drive in (-0.4, -0.15, 0.15, 0.4)),
    ("gabab_agonist", 0.3),
    ("gabab_agonist", 1.0),
)
_EVERY_CIRCUIT: Final = 4  # of the reference; what a defect does differs little from one to the next
_ENOUGH_RESPOND: Final = 0.5
_DT_MS: Final = 0.1


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What patients of all accounts would show where this one was measured, and what other defects would.

    Attributes
    ----------
    shown : array, shape (observations, n)
        Log measures of circuits, by the emulator.
    account : int array, shape (n,)
        Index into `hypotheses.ACCOUNTS`; the last is health.
    noise : array, shape (observations, observations)
        Covariance of errors and of what people differ by.
    elsewhere : array, shape (observations, defects)
        By how much defects of one hemisphere move the log measures of health.
    """

    shown: Floats
    account: Ints
    noise: Floats
    elsewhere: Floats

    def log_outside(self, log_value: Floats) -> float:
        """Return the log density of measures of the rival: one other defect, or a stray in any direction."""
        spread = _OUTSIDE_SPREAD**2 * np.atleast_2d(np.cov(self.shown)) + self.noise
        anywhere = _log_normal(log_value[:, None], self.shown.mean(axis=1), spread)
        return float((np.logaddexp(anywhere, self._log_defect(log_value[:, None])) - np.log(2))[0])

    def chance(self, log_value: Floats) -> tuple[float, int]:
        """Return in which share of patients of the accounts the measures speak as much for another defect.

        How much they do is the ratio of the densities of one other defect and of the accounts, taken as
        normal; the share is counted among patients of the accounts themselves (Box 1980), so that it holds
        however crooked they are. Beside it stands the index of the measure that is furthest from what the
        others let expect, under the likeliest account.
        """
        logs = self._log_accounts(log_value[:, None])
        speaks = float((self._log_defect(log_value[:, None]) - np.logaddexp.reduce(logs, axis=0))[0])
        middle, covariance = self._moments(int(logs[:, 0].argmax()))
        precise = np.linalg.inv(covariance)
        odd = np.abs(precise @ (log_value - middle)) / np.sqrt(np.diag(precise))
        among = self._spoken
        return float((1 + (among >= speaks).sum()) / (1 + among.size)), int(odd.argmax())

    @cached_property
    def _spoken(self) -> Floats:
        """How much measures of patients of the accounts speak for another defect, shape (n,)."""
        noise = np.linalg.cholesky(self.noise + 1e-12 * np.eye(len(self.noise)))
        drawn = self.shown + noise @ np.random.default_rng(0).standard_normal(self.shown.shape)
        return np.asarray(self._log_defect(drawn) - np.logaddexp.reduce(self._log_accounts(drawn), axis=0))

    def _log_accounts(self, values: Floats) -> Floats:
        """Return the log density under each account, taken as normal, shape (accounts, n)."""
        return np.stack([_log_normal(values, *self._moments(row)) for row in range(len(ACCOUNTS))])

    def _log_defect(self, values: Floats) -> Floats:
        """Return the log density where one of the other defects is there, all as likely, shape (n,)."""
        middle, covariance = self._moments(len(ACCOUNTS) - 1)
        root = np.linalg.cholesky(covariance)
        white = np.linalg.solve(root, values - middle[:, None])
        moved = np.linalg.solve(root, self.elsewhere)
        # Of a normal density moved by each defect, as a difference from the one that is not.
        gain = moved.T @ white - 0.5 * (moved**2).sum(axis=0)[:, None]
        many = np.logaddexp.reduce(gain, axis=0) - np.log(self.elsewhere.shape[1])
        return np.asarray(_log_normal(values, middle, covariance) + many)

    def _moments(self, row: int) -> tuple[Floats, Floats]:
        own = self.shown[:, self.account == row]
        return own.mean(axis=1), np.atleast_2d(np.cov(own)) + self.noise


def foresee(data: PatientData) -> Foreseen:
    """Draw patients of all accounts, measured as this one was."""
    rng = np.random.default_rng(0)
    circuit = load_distribution().draw(_DRAWS, rng)
    factors, account = draw_factors(len(data.visits), _DRAWS, rng)
    shown = Surrogate.of(data, load_emulator()).predict(np.concatenate([circuit, factors]))
    # A defect that no account names is there at every visit.
    moved = data.weights.sum(axis=1) @ _shifts_of_defects(data.wanted)
    return Foreseen(shown, account, data.error_covariance, moved)


@cache
def _shifts_of_defects(wanted: Wanted) -> Floats:
    """Return by how much defects of either hemisphere move log measures, shape (wanted, defects)."""
    names = tuple(dict.fromkeys(name for _, name in wanted))
    both = tuple((side, name) for side in (0, 1) for name in names)
    healthy = load_reference()
    healthy = select(healthy, np.arange(0, healthy.n_circuits, _EVERY_CIRCUIT))
    size = healthy.n_circuits
    batch = select(healthy, np.tile(np.arange(size), 1 + len(_DEFECTS)))
    for name in dict.fromkeys(name for name, _ in _DEFECTS):
        values = np.full((2, batch.n_circuits), 0.0 if name in SHIFTS else 1.0)
        for row, (of, value) in enumerate(_DEFECTS, start=1):
            if of == name:
                values[0, row * size : (row + 1) * size] = value
        batch = apply_factors(batch, {name: values})
    shown = measure_logs(batch, both, dt_ms=_DT_MS).reshape(len(both), -1, size)
    moved = shown[:, 1:] - shown[:, :1]
    # Circuits that no longer respond tell nothing of how a defect shows.
    responds = np.isfinite(moved).all(axis=0)
    kept = responds.mean(axis=1) >= _ENOUGH_RESPOND
    middle = np.nanmedian(np.where(responds, moved, np.nan)[:, kept], axis=2)
    mirrored = np.roll(middle, len(names), axis=0)
    rows = [both.index(one) for one in wanted]
    return np.concatenate([middle[rows], mirrored[rows]], axis=1)


def _log_normal(values: Floats, middle: Floats, covariance: Floats) -> Floats:
    white = np.linalg.solve(np.linalg.cholesky(covariance), values - middle[:, None])
    return np.asarray(-0.5 * ((white**2).sum(axis=0) + np.linalg.slogdet(2 * np.pi * covariance)[1]))
