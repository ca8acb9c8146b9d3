"""The state a circuit rests in before the first pulse, found by iteration instead of by waiting for it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.steppers.kinetics import (
    AMPA,
    DEPRESSION_RECOVERY_MS,
    GABA_A,
    GABA_B,
    MOTONEURON,
    NMDA,
    RECOVERY_MS,
    RELEASE_EFFICACY,
    magnesium_gate,
)
from sudeck.circuit.steppers.stimulus import Ints

# At rest the loops are weak, and this converges to rounding; where it does not there is no rest.
ITERATIONS: Final = 90
DAMPING: Final = 0.3


class Rest(NamedTuple):
    """A fixed point of the circuit.

    Attributes
    ----------
    potential_mv, rate_per_ms, ready : array, shape (4, 2, n)
        Post-synaptic potential, spikes per cell and ms, share of cells that are not refractory.
    residual_mv : array, shape (n,)
        Largest distance from a fixed point; where it is not small there is no steady state.
    """

    potential_mv: Floats
    rate_per_ms: Floats
    ready: Floats
    residual_mv: Floats

    @property
    def motoneuron(self) -> Floats:
        """Steady drive of the motoneurons, shape (2, n)."""
        return np.asarray(self.rate_per_ms[1] * MOTONEURON.area_ms)


def find_rest(circuits: Circuit, contraction_mv: Floats) -> Rest:
    """Return the steady state of circuits under a steady voluntary drive onto P of hemisphere 0.

    Damped fixed-point iteration from silence, so that of two stable states the quiet one is found.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    contraction_mv : array, shape (n,)
    """
    contraction = np.stack([contraction_mv, np.zeros_like(contraction_mv)])
    potential = np.zeros((4, 2, circuits.n_circuits))
    for _ in range(ITERATIONS):
        change = _steady_input(circuits, potential, contraction) - potential
        potential += DAMPING * change
    hazard, ready = _steady_release(circuits, potential)
    return Rest(potential, hazard * ready, ready, np.abs(change).max(axis=(0, 1)))


def find_states(which: Ints, contraction_mv: Floats) -> tuple[Ints, Floats, Ints]:
    """Return which steady states trials start from: a circuit has one for every contraction.

    Parameters
    ----------
    which : int array, shape (n,)
        The circuit of each trial.
    contraction_mv : array, shape (n,)

    Returns
    -------
    circuit, contraction_mv : array, shape (states,)
    state : int array, shape (n,)
        The state of each trial.
    """
    levels, level = np.unique(contraction_mv, return_inverse=True)
    key = which * levels.size + level
    needed = np.zeros(int(key.max()) + 1, bool)
    needed[key] = True
    states = np.flatnonzero(needed)
    return states // levels.size, levels[states % levels.size], (np.cumsum(needed) - 1)[key]


def _steady_release(circuits: Circuit, potential: Floats) -> tuple[Floats, Floats]:
    """Return the hazard of a ready cell per ms, and the share of ready cells."""
    drive = (potential - circuits.release_threshold_mv) / circuits.release_spread_mv
    hazard = RELEASE_EFFICACY * circuits.release_max_per_ms / (1 + np.exp(-np.clip(drive, -60, 60)))
    return hazard, 1 / (1 + hazard * RECOVERY_MS)


def _steady_input(circuits: Circuit, potential: Floats, contraction: Floats) -> Floats:
    c = circuits
    hazard, ready = _steady_release(c, potential)
    e, _, a, b = hazard * ready
    local = e / (1 + c.depression_of_e * DEPRESSION_RECOVERY_MS * e)
    ampa, nmda = local * AMPA.area_ms, local * NMDA.area_ms
    gabab = b * GABA_B.area_ms
    gabaa = a * GABA_A.area_ms / (1 + c.presynaptic_gabab * (gabab + c.gabab_agonist))
    across_ampa, across_nmda = e[::-1] * AMPA.area_ms, e[::-1] * NMDA.area_ms
    gate = magnesium_gate(potential)
    return np.stack(
        [
            c.ampa_on_e_mv * ampa
            + c.callosal_ampa_on_e_mv * across_ampa
            + gate[0] * (c.nmda_on_e_mv * nmda + c.callosal_nmda_on_e_mv * across_nmda)
            - c.gabaa_on_e_mv * gabaa
            - c.gabab_on_e_mv * gabab
            + c.tonic_on_e_mv,
            c.ampa_on_p_mv * ampa
            + gate[1] * c.nmda_on_p_mv * nmda
            - c.gabaa_on_p_mv * gabaa
            - c.gabab_on_p_mv * gabab
            + c.tonic_on_p_mv
            + contraction,
            c.ampa_on_a_mv * ampa
            + c.callosal_ampa_on_a_mv * across_ampa
            + gate[2] * c.nmda_on_a_mv * nmda
            - c.gabaa_on_a_mv * gabaa
            + c.tonic_on_a_mv,
            c.ampa_on_b_mv * ampa
            + c.callosal_ampa_on_b_mv * across_ampa
            + gate[3] * (c.nmda_on_b_mv * nmda + c.callosal_nmda_on_b_mv * across_nmda)
            - c.gabaa_on_b_mv * gabaa
            + c.tonic_on_b_mv,
        ]
    )
