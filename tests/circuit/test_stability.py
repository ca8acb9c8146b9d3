"""Circuits that run away are refused with a sentence."""

import numpy as np
import pytest

from sudeck.circuit.parameters import Circuit, scale, select
from sudeck.circuit.simulation import check_stable, find_instability, simulate
from sudeck.circuit.steppers.stimulus import CircuitPulse
from sudeck.core.errors import InputError


def test_reference_circuits_are_stable(circuits: Circuit) -> None:
    assert find_instability(circuits) == [""] * circuits.n_circuits


def test_runaway_is_refused(one: Circuit) -> None:
    wild = scale(one, ampa_on_e_mv=12.0, nmda_on_e_mv=20.0)
    with pytest.raises(InputError, match=r"fire at|steady state"):
        simulate(wild, [CircuitPulse(0.0, 1.2)], duration_ms=10.0)


def test_the_sentence_says_which_circuit(circuits: Circuit) -> None:
    pair = select(circuits, np.array([0, 0]))
    factor = np.array([[1.0, 20.0]])
    with pytest.raises(InputError, match="Circuit 2 of 2"):
        check_stable(scale(pair, nmda_on_e_mv=factor, ampa_on_e_mv=factor))


def test_numbers_that_are_none_are_refused(one: Circuit) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        check_stable(one._replace(ampa_on_e_mv=np.array([[np.nan], [1.0]])))
