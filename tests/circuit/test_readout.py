"""Measures: thresholds give their response, numbers agree between steps and engines."""

import numpy as np
import pytest

from sudeck.circuit.parameters import Circuit, select, swap_hemispheres
from sudeck.circuit.protocols import MEASURES, conditioned, single
from sudeck.circuit.readout import (
    THRESHOLD_MEP_MV,
    find_intensity,
    find_thresholds,
    measure,
    read_trials,
    response_mv,
)


def test_response_at_threshold_is_fifty_microvolts(one: Circuit) -> None:
    rmt = find_thresholds(one, both=False, engine="numpy")
    shown = read_trials(one, [(single(1.0), "mep")], rmt, engine="numpy")
    assert shown[single(1.0), "mep"][0] == pytest.approx(THRESHOLD_MEP_MV, rel=0.01)


def test_half_the_maximum_at_the_threshold_of_the_motoneurons(one: Circuit) -> None:
    assert response_mv(one, one.motoneuron_threshold[0])[0] == pytest.approx(one.mep_max_mv[0, 0] / 2)


def test_a_response_never_reached_has_no_threshold(one: Circuit) -> None:
    assert np.isnan(find_intensity(one, 4.999, engine="numpy")).all()


def test_unequal_hemispheres_have_their_own_thresholds(one: Circuit) -> None:
    sides = one._replace(motoneuron_threshold=one.motoneuron_threshold * np.array([[1.0], [1.5]]))
    rmt = find_thresholds(sides, both=True, engine="numpy")
    assert rmt[1, 0] > rmt[0, 0]
    alone = find_thresholds(one, both=False, engine="numpy")
    assert rmt[0, 0] == pytest.approx(alone[0, 0], rel=2e-3)


def test_a_paired_measure_is_the_conditioned_response_over_the_single_one(one: Circuit) -> None:
    wanted = MEASURES["SICI_2"]
    assert wanted.over is not None
    rmt = find_thresholds(one, both=False, engine="numpy")
    shown = read_trials(one, [(wanted.trial, "mep"), (wanted.over, "mep")], rmt, engine="numpy")
    given = measure(one, [wanted], rmt=rmt, engine="numpy").values["SICI_2"]
    assert given == pytest.approx(shown[wanted.trial, "mep"] / shown[wanted.over, "mep"])
    assert shown[wanted.over, "mep"][0] != pytest.approx(1.0, abs=0.01)  # else a ratio would not show


def test_conditioning_of_no_intensity_changes_nothing(one: Circuit) -> None:
    rmt = find_thresholds(one, both=False, engine="numpy")
    nothing = conditioned((5.0, 0.0, 0))
    shown = read_trials(one, [(single(), "mep"), (nothing, "mep")], rmt, engine="numpy")
    assert shown[nothing, "mep"] == pytest.approx(shown[single(), "mep"], rel=1e-6)


@pytest.mark.usefixtures("numba_installed")
def test_halving_the_step_moves_every_measure_by_less_than_two_percent(circuits: Circuit) -> None:
    few = select(circuits, np.arange(2))
    coarse = measure(few, list(MEASURES.values()), dt_ms=0.1, engine="numba")
    fine = measure(few, list(MEASURES.values()), dt_ms=0.05, engine="numba")
    assert np.allclose(coarse.rmt, fine.rmt, rtol=0.02)
    for name, value in coarse.values.items():
        assert np.allclose(value, fine.values[name], rtol=0.02), name


@pytest.mark.usefixtures("numba_installed")
def test_engines_agree_on_measures(one: Circuit) -> None:
    wanted = [MEASURES[name] for name in ("SICI_2", "IHI_10", "CSP")]
    fast = measure(one, wanted, dt_ms=0.2, engine="numba")
    slow = measure(one, wanted, dt_ms=0.2, engine="numpy")
    for name, value in slow.values.items():
        assert fast.values[name] == pytest.approx(value, rel=2e-3), name


@pytest.mark.usefixtures("numba_installed")
def test_threshold_gives_fifty_microvolts_in_its_own_hemisphere(circuits: Circuit) -> None:
    # Two different hemispheres: their thresholds are found together and must not change places.
    few = select(circuits, np.arange(3))
    few = few._replace(ampa_on_p_mv=few.ampa_on_p_mv * np.array([[1.0], [0.8]]))
    rmt = find_thresholds(few, both=True, engine="numba")
    shown = read_trials(few, [(single(1.0), "mep")], rmt, engine="numba")[single(1.0), "mep"]
    assert shown == pytest.approx(0.05, rel=0.02)
    swapped = swap_hemispheres(few)
    shown = read_trials(swapped, [(single(1.0), "mep")], rmt[::-1], engine="numba")[single(1.0), "mep"]
    assert shown == pytest.approx(0.05, rel=0.02)
    assert (rmt[1] > rmt[0]).all()
