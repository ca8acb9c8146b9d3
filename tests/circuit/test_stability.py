"""Circuits that run away are refused with a sentence."""

import numpy as np
import pytest

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.drugs import apply_factors
from sudeck.circuit.parameters import Circuit, scale, select
from sudeck.circuit.reference import load_distribution
from sudeck.circuit.simulation import RATE_LIMIT_PER_MS, check_stable, find_instability, probe_rates, simulate
from sudeck.circuit.steppers.stimulus import CircuitPulse
from sudeck.core.errors import InputError


def test_reference_circuits_are_stable(circuits: Circuit) -> None:
    assert find_instability(circuits) == [""] * circuits.n_circuits


def test_runaway_is_refused(one: Circuit) -> None:
    wild = scale(one, ampa_on_e_mv=12.0, nmda_on_e_mv=20.0)
    with pytest.raises(InputError, match=r"fire at|steady state"):
        simulate(wild, [CircuitPulse(0.0, 1.2)], duration_ms=10.0)


@pytest.mark.usefixtures("numba_installed")
@pytest.mark.parametrize("factors", [{}, {"gaba_a": 0.7}, {"ampa": 1.1}, {"ampa": 0.9}])
def test_strong_pulses_to_one_side_leave_healthy_and_ill_circuits_quiet(factors: dict[str, float]) -> None:
    drawn = circuits_at(load_distribution().draw(160, np.random.default_rng(5)))
    rates = probe_rates(apply_factors(drawn, dict(factors)), [(1.6, 0), (1.8, 0)], engine="numba")
    assert (rates > RATE_LIMIT_PER_MS).mean() < 0.01


def test_what_one_side_provokes_is_looked_for_on_either_side(one: Circuit) -> None:
    # Recurrent excitation of one hemisphere alone, without the fatigue of its terminals.
    for wild in (np.array([[2.2], [1.0]]), np.array([[1.0], [2.2]])):
        excited = scale(one, ampa_on_e_mv=wild, nmda_on_e_mv=2 * wild)
        excited = excited._replace(depression_of_e=np.zeros((2, 1)))
        assert find_instability(excited) != [""]


def test_the_sentence_says_which_circuit(circuits: Circuit) -> None:
    pair = select(circuits, np.array([0, 0]))
    factor = np.array([[1.0, 20.0]])
    with pytest.raises(InputError, match="Circuit 2 of 2"):
        check_stable(scale(pair, nmda_on_e_mv=factor, ampa_on_e_mv=factor))


def test_numbers_that_are_none_are_refused(one: Circuit) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        check_stable(one._replace(ampa_on_e_mv=np.array([[np.nan], [1.0]])))
