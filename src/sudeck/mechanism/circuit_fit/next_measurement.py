"""Which measurement before treatment would tell most: what each would add, from a patient's draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.core.record import Record
from sudeck.mechanism.circuit_fit.emulator import Emulator
from sudeck.mechanism.circuit_fit.factors import FACTORS
from sudeck.mechanism.circuit_fit.hypotheses import account_shares
from sudeck.mechanism.circuit_fit.inference import Posterior
from sudeck.mechanism.circuit_fit.measure_names import parts_of
from sudeck.mechanism.circuit_fit.patient_data import person_covariance
from sudeck.mechanism.measure_table import HEMISPHERES

# What a laboratory could measure next, and how well (log standard error of about 20 trials); assumed.
CANDIDATES: Final = ("SICI", "ICF", "LICI", "IHI", "IHI_40", "CSP")
LOG_SE: Final = 0.12
_GRID: Final = 201


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """A measurement that was not made at the first visit.

    Attributes
    ----------
    measure, hemisphere : str
    information_bits : float
        What it would add about all factors of that visit.
    hypothesis_bits : float
        What it would add about which account of the baseline is right (at most 2.3 bits for five).
    factor, factor_hemisphere : str
        The factor it would narrow most.
    narrowing : float
        The standard deviation of that factor after over before.
    """

    measure: str
    hemisphere: str
    information_bits: float
    hypothesis_bits: float
    factor: str
    factor_hemisphere: str
    narrowing: float


def rank_measurements(
    posterior: Posterior,
    emulator: Emulator,
    *,
    candidates: Sequence[str] = CANDIDATES,
    log_se: float = LOG_SE,
) -> tuple[Candidate, ...]:
    """Rank measurements that the patient has not had at the first visit: by bits about the accounts.

    The accounts are of the state before treatment, so what was measured later tells little of them.

    Parameters
    ----------
    posterior : Posterior
        What is known by now.
    emulator : Emulator
    candidates : sequence of str
        Measures as in `measure_names`.
    log_se : float
        Error such a measurement would have.
    """
    # SICI is not asked for again where it was measured at one of the intervals that it stands for.
    had = {(side, part) for visit, side, name in posterior.data.keys if visit == 0 for part in parts_of(name)}
    new = [
        (0, side, name)
        for name in candidates
        for side in (0, 1)
        if not had & {(side, part) for part in parts_of(name)}
    ]
    ranked = [_assess(posterior, emulator, key, log_se) for key in new]
    return tuple(sorted(ranked, key=lambda c: -c.hypothesis_bits))


def _assess(posterior: Posterior, emulator: Emulator, key: tuple[int, int, str], log_se: float) -> Candidate:
    visit, side, name = key
    factors, weight = posterior.of_visit(visit), posterior.weight
    expected, error = _expect(posterior, emulator, key, log_se)
    middle = expected @ weight
    variance = float(((expected - middle) ** 2) @ weight + error**2)
    away = factors - (factors @ weight)[:, None]
    covariance = (away * weight) @ away.T
    shared = (away * weight) @ (expected - middle)
    # What is told of factors and measure as if they were jointly normal.
    explained = min(float(shared @ np.linalg.solve(covariance, shared)) / variance, 1 - 1e-9)
    left = 1 - shared**2 / (np.diag(covariance) * variance)
    best = int(left.argmin())
    return Candidate(
        name,
        HEMISPHERES[side],
        float(-0.5 * np.log2(1 - explained)),
        _hypothesis_bits(account_shares(posterior.factors), weight, expected, error),
        FACTORS[best // 2],
        HEMISPHERES[best % 2],
        float(np.sqrt(max(left[best], 0.0))),
    )


def _expect(
    posterior: Posterior, emulator: Emulator, key: tuple[int, int, str], log_se: float
) -> tuple[Floats, float]:
    """Return what each draw expects of a new measure, given all others, and the error of that."""
    data, (visit, side, name) = posterior.data, key
    made_of = parts_of(name)
    shown = emulator.predict(
        posterior.circuit, posterior.of_visit(visit), tuple((side, part) for part in made_of)
    )
    covariance = person_covariance((*data.keys, key))
    made = covariance[:-1, :-1] + np.diag(data.log_se**2)
    habit = np.linalg.solve(made, covariance[:-1, -1])
    expected = np.array(list(made_of.values())) @ shown + habit @ (
        data.log_value[:, None] - posterior.predicted
    )
    variance = covariance[-1, -1] - covariance[:-1, -1] @ habit + log_se**2
    return expected, float(np.sqrt(variance))


def _hypothesis_bits(shares: Floats, weight: Floats, expected: Floats, error: float) -> float:
    """Return the mutual information of the accounts and the new measure."""
    probability = shares @ weight
    grid = np.linspace(expected.min() - 4 * error, expected.max() + 4 * error, _GRID)
    density = np.exp(-0.5 * ((grid[:, None] - expected) / error) ** 2)
    joint = density @ (shares * weight).T + 1e-300  # grid, account
    joint /= joint.sum()
    ratio = joint / (joint.sum(axis=1, keepdims=True) * np.maximum(probability, 1e-300))
    return max(float((joint * np.log2(np.maximum(ratio, 1e-300))).sum()), 0.0)
