"""The check that a patient is one that the accounts foresee."""

from __future__ import annotations

import numpy as np
import pytest

from circuit_virtual_patient import STUDY_MEASURES, WITH_CALLOSUM
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS
from sudeck.mechanism.circuit_fit.patient_data import PatientData
from sudeck.mechanism.circuit_fit.surprise import Foreseen, foresee


def _foreseen(rng: np.random.Generator, count: int = 4000) -> Foreseen:
    """Accounts that differ in the first of four measures, crooked in the second; defects of the other two."""
    account = rng.integers(len(ACCOUNTS), size=count)
    shown = rng.standard_normal((4, count))
    shown[0] += 3 * account
    shown[1] = np.exp(shown[1])
    return Foreseen(shown, account, 0.2**2 * np.eye(4), 3 * np.eye(4)[:, 2:])


def test_the_chance_is_even_for_those_foreseen_and_small_for_others() -> None:
    known = _foreseen(np.random.default_rng(0))
    fresh = _foreseen(np.random.default_rng(1), 300)
    values = fresh.shown + 0.2 * np.random.default_rng(2).standard_normal(fresh.shown.shape)
    chances = np.array([known.chance(value)[0] for value in values.T])
    assert np.mean(chances < 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(chances) == pytest.approx(0.5, abs=0.06)
    chance, odd = known.chance(np.array([12.0, 1.0, 0.0, 4.5]))
    assert (chance < 0.01, odd) == (True, 3)
    # As far off, but as no defect would show.
    assert known.chance(np.array([12.0, 1.0, 0.0, -4.5]))[0] > 0.1


def test_what_lies_far_off_is_likelier_outside() -> None:
    known = _foreseen(np.random.default_rng(0))
    near, far = np.array([3.0, 1.0, 0.0, 0.0]), np.array([3.0, 1.0, 0.0, 9.0])
    assert 0 < known.log_outside(near) - known.log_outside(far) < 15


def test_patients_are_foreseen_where_this_one_was_measured() -> None:
    keys = tuple((0, side, name) for side in (0, 1) for name in STUDY_MEASURES)
    data = PatientData("sub-1", ("pre",), keys, np.zeros(len(keys)), np.full(len(keys), 0.1))
    found = foresee(data)
    assert found.shown.shape[0] == found.elsewhere.shape[0] == len(keys)
    # A defect of one hemisphere shows there, and its mirror image in the other.
    sici = found.elsewhere[[keys.index((0, side, "SICI_2")) for side in (0, 1)]]
    half = sici.shape[1] // 2
    assert sici[0, :half] == pytest.approx(sici[1, half:])
    assert np.abs(sici[0, :half]).max() > 0.3 > 0.1 > np.abs(sici[1, :half]).max()
    assert np.array_equal(found.shown, foresee(data).shown)
    assert set(found.account) == set(range(len(ACCOUNTS)))


@pytest.mark.usefixtures("numba_installed")
def test_a_second_visit_shows_a_defect_that_one_visit_hides() -> None:
    chances = []
    for visits in (("pre",), ("pre", "post")):
        keys = tuple((v, side, name) for v in range(len(visits)) for side in (0, 1) for name in WITH_CALLOSUM)
        errors = np.full(len(keys), 0.1)
        known = foresee(PatientData("sub-1", visits, keys, np.zeros(len(keys)), errors))
        healthy = known.shown[:, known.account == len(ACCOUNTS) - 1].mean(axis=1)
        chances.append([known.chance(healthy + moved)[0] for moved in known.elsewhere.T])
    once, twice = np.array(chances)
    assert (twice < 0.05).sum() > (once < 0.05).sum() >= 8
