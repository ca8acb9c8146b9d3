"""The circuit step by step in plain NumPy: slow, short, and what the fast stepper is tested against.

Potentials live at the middle of a step, synapses and refractoriness at its ends (a staggered grid), so that
every quantity is driven by the middle of the others and the error falls with the square of the step. Spikes
are spread evenly over their step; kernels and depletion are then exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.steppers.kinetics import (
    AMPA,
    DELAY_CALLOSUM_MS,
    DELAY_E_MS,
    DELAY_INTERNEURON_MS,
    DEPRESSION_RECOVERY_MS,
    GABA_A,
    GABA_B,
    MEMBRANE_MS,
    MOTONEURON,
    NMDA,
    RECOVERY_MS,
    RELEASE_EFFICACY,
    A,
    B,
    E,
    Kernel,
    P,
    magnesium_gate,
)
from sudeck.circuit.steppers.rest import Rest
from sudeck.circuit.steppers.stimulus import Trials, pulse_share, recruit_axons


class StateCourse(NamedTuple):
    """What one simulation leaves behind.

    Attributes
    ----------
    motoneuron : array, shape (steps + 1, 2, n)
        Motoneuron drive at the ends of the steps, beginning at time 0.
    spikes : array, shape (steps, 4, 2, n)
        Spikes per cell within each step.
    """

    motoneuron: Floats
    spikes: Floats


class Synapse:
    """A kernel's two exponentials, moved on exactly for spikes spread evenly over a step."""

    def __init__(self, kernel: Kernel, steady_rate_per_ms: Floats, dt_ms: float) -> None:
        self._parts = []
        for tau, sign in ((kernel.decay_ms, 1.0), (kernel.rise_ms, -1.0)):
            keep = np.exp(-dt_ms / tau)
            gain = sign * tau / dt_ms * (1 - keep) / kernel.peak
            self._parts.append([keep, gain, sign * steady_rate_per_ms * tau / kernel.peak])

    @property
    def value(self) -> Floats:
        """Post-synaptic potential per mV of weight, now."""
        return np.asarray(self._parts[0][2] + self._parts[1][2])

    def advance(self, spikes: Floats) -> None:
        """Move one step on, with `spikes` arriving in it."""
        for part in self._parts:
            part[2] = part[0] * part[2] + part[1] * spikes


def run_reference(
    circuits: Circuit, trials: Trials, rest: Rest, *, duration_ms: float, dt_ms: float = 0.1
) -> StateCourse:
    """Simulate n circuits under n trials (or one of either).

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    trials : Trials
        n trials; times from the start of the simulation, in ms.
    rest : Rest
        Where they start, from `find_rest`.
    duration_ms, dt_ms : float

    Returns
    -------
    Course
    """
    c, dt = circuits, dt_ms
    steps = round(duration_ms / dt)
    recruited = recruit_axons(c, trials)
    contraction = np.zeros_like(rest.motoneuron)
    contraction[0] = trials.contraction_mv

    v, ready, rate = rest.potential_mv.copy(), rest.ready.copy(), rest.rate_per_ms
    full = 1 / (1 + c.depression_of_e * DEPRESSION_RECOVERY_MS * rate[E])  # transmitter at local terminals
    local_at_rest = full * rate[E]
    ampa, nmda = Synapse(AMPA, local_at_rest, dt), Synapse(NMDA, local_at_rest, dt)
    ampa_across, nmda_across = Synapse(AMPA, rate[E][::-1], dt), Synapse(NMDA, rate[E][::-1], dt)
    gabab = Synapse(GABA_B, rate[B], dt)
    released_at_rest = rate[A] / (1 + c.presynaptic_gabab * (gabab.value + c.gabab_agonist))
    gabaa = Synapse(GABA_A, released_at_rest, dt)
    moto = Synapse(MOTONEURON, rate[P], dt)
    keep_v, recover = np.exp(-dt / MEMBRANE_MS), np.exp(-0.5 * dt / RECOVERY_MS)
    refill = np.exp(-0.5 * dt / DEPRESSION_RECOVERY_MS)

    motoneuron = np.empty((steps + 1, *rest.motoneuron.shape))
    motoneuron[0] = moto.value
    spikes = np.empty((steps, *v.shape))
    released = np.empty((steps, *rest.motoneuron.shape))  # GABA of A, after its presynaptic receptors
    local = np.empty_like(released)  # what the local terminals of E release
    crossing = np.empty_like(released)  # spikes of E that enter the callosum
    for n in range(steps):
        gate = magnesium_gate(v)
        drive = np.stack(
            [
                c.ampa_on_e_mv * ampa.value
                + c.callosal_ampa_on_e_mv * ampa_across.value
                + gate[E] * (c.nmda_on_e_mv * nmda.value + c.callosal_nmda_on_e_mv * nmda_across.value)
                - c.gabaa_on_e_mv * gabaa.value
                - c.gabab_on_e_mv * gabab.value
                + c.tonic_on_e_mv,
                c.ampa_on_p_mv * ampa.value
                + gate[P] * c.nmda_on_p_mv * nmda.value
                - c.gabaa_on_p_mv * gabaa.value
                - c.gabab_on_p_mv * gabab.value
                + c.tonic_on_p_mv
                + contraction,
                c.ampa_on_a_mv * ampa.value
                + c.callosal_ampa_on_a_mv * ampa_across.value
                + gate[A] * c.nmda_on_a_mv * nmda.value
                - c.gabaa_on_a_mv * gabaa.value
                + c.tonic_on_a_mv,
                c.ampa_on_b_mv * ampa.value
                + c.callosal_ampa_on_b_mv * ampa_across.value
                + gate[B] * (c.nmda_on_b_mv * nmda.value + c.callosal_nmda_on_b_mv * nmda_across.value)
                - c.gabaa_on_b_mv * gabaa.value
                + c.tonic_on_b_mv,
            ]
        )
        v = keep_v * v + (1 - keep_v) * drive

        excitement = (v - c.release_threshold_mv) / c.release_spread_mv
        hazard = RELEASE_EFFICACY * c.release_max_per_ms * dt / (1 + np.exp(-excitement))
        given = pulse_share((n + 1) * dt - trials.time_ms) - pulse_share(n * dt - trials.time_ms)
        direct = (given[:, None, None, :] * recruited).sum(axis=0)
        across_share = (hazard[E] + c.callosal_direct_share * direct[E]) / (hazard[E] + direct[E])
        ready = 1 - (1 - ready) * recover
        spikes[n] = ready * -np.expm1(-hazard - direct)
        crossing[n] = across_share * spikes[n, E]
        ready = 1 - (1 - (ready - spikes[n])) * recover
        released[n] = spikes[n, A] / (1 + c.presynaptic_gabab * (gabab.value + c.gabab_agonist))
        full = 1 - (1 - full) * refill
        local[n] = full * spikes[n, E] * (1 - 0.5 * c.depression_of_e * spikes[n, E])
        full = 1 - (1 - (full - c.depression_of_e * local[n])) * refill

        near = _delayed(local, n, DELAY_E_MS / dt, local_at_rest * dt)
        across = _delayed(crossing, n, DELAY_CALLOSUM_MS / dt, rate[E] * dt)[::-1]
        ampa.advance(near)
        nmda.advance(near)
        ampa_across.advance(across)
        nmda_across.advance(across)
        gabaa.advance(_delayed(released, n, DELAY_INTERNEURON_MS / dt, released_at_rest * dt))
        gabab.advance(_delayed(spikes[:, B], n, DELAY_INTERNEURON_MS / dt, rate[B] * dt))
        moto.advance(spikes[n, P])
        motoneuron[n + 1] = moto.value
    return StateCourse(motoneuron, spikes)


def _delayed(history: Floats, n: int, delay_steps: float, before: Floats) -> Floats:
    """Return what left `delay_steps` before step `n`, between two steps where the delay ends there."""
    whole = int(delay_steps + 1e-9)
    share = delay_steps - whole
    late = history[n - whole] if n >= whole else before
    if share < 1e-9:
        return late
    later = history[n - whole - 1] if n > whole else before
    return np.asarray((1 - share) * late + share * later)
