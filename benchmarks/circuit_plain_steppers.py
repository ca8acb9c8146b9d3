"""The circuit written the straightforward way, in Numba: what the engines stand beside.

One trial is one loop over the steps, in the order of the reference stepper, without regard to caches or
vectors.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.steppers import kinetics
from sudeck.circuit.steppers.rest import Rest
from sudeck.circuit.steppers.stimulus import Trials, pulse_share, recruit_axons

_KERNELS = (kinetics.AMPA, kinetics.NMDA, kinetics.AMPA, kinetics.NMDA, kinetics.GABA_A, kinetics.GABA_B)
_DELAYS_MS = (kinetics.DELAY_E_MS, kinetics.DELAY_CALLOSUM_MS, kinetics.DELAY_INTERNEURON_MS)
_SLOTS = 48


def lay_out(circuits: Circuit, trials: Trials, rest: Rest, steps: int, dt_ms: float) -> tuple[Any, ...]:
    """Return what both plain steppers read: everything per trial, the trial first, in double precision.

    Parameters (n, 39, 2), steady state (n, 3, 4, 2), drive of a pulse on axons (n, pulses, 4, 2), its time
    course (n, steps, pulses), and the constants of the step.
    """
    shape = (2, trials.n_trials)
    parameters = np.stack([np.broadcast_to(field, shape) for field in circuits])
    parameters[Circuit._fields.index("tonic_on_p_mv"), 0] += trials.contraction_mv
    course = pulse_share(np.arange(steps + 1)[:, None, None] * dt_ms - trials.time_ms)
    kernels = []
    for kernel in (*_KERNELS, kinetics.MOTONEURON):
        for tau, sign in ((kernel.decay_ms, 1.0), (kernel.rise_ms, -1.0)):
            keep = np.exp(-dt_ms / tau)
            kernels.append((keep, sign * tau / dt_ms * (1 - keep) / kernel.peak, sign * tau / kernel.peak))
    return (
        np.ascontiguousarray(parameters.transpose(2, 0, 1)),
        np.ascontiguousarray(np.stack(rest[:3]).transpose(3, 0, 1, 2)),
        np.ascontiguousarray(recruit_axons(circuits, trials).transpose(3, 0, 1, 2)),
        np.ascontiguousarray(np.diff(course, axis=0).transpose(2, 0, 1)),
        np.array(kernels),
        np.array([round(delay / dt_ms) for delay in _DELAYS_MS]),
        dt_ms,
    )


_I = {name: index for index, name in enumerate(Circuit._fields)}
# Weight of every target on its own row: AMPA, NMDA, callosal AMPA, callosal NMDA, GABA-A, GABA-B, tonic.
_TARGETS = tuple(
    tuple(
        _I.get(name.format(target), -1)
        for name in (
            *("ampa_on_{}_mv", "nmda_on_{}_mv", "callosal_ampa_on_{}_mv", "callosal_nmda_on_{}_mv"),
            *("gabaa_on_{}_mv", "gabab_on_{}_mv", "tonic_on_{}_mv"),
        )
    )
    for target in "epab"
)
_WEIGHTS = np.array(_TARGETS)
_PRE, _SHARE = _I["presynaptic_gabab"], _I["callosal_direct_share"]
_THRESHOLD, _SPREAD, _MAX = (_I[f"release_{part}"] for part in ("threshold_mv", "spread_mv", "max_per_ms"))
_EFFICACY, _RECOVERY, _MEMBRANE = kinetics.RELEASE_EFFICACY, kinetics.RECOVERY_MS, kinetics.MEMBRANE_MS
_MG, _MG_PER_MV = kinetics.MAGNESIUM_AT_REST, kinetics.MAGNESIUM_PER_MV


@numba.njit(fastmath=True, nogil=True)
def run_scalar_numba(
    parameters: Floats,
    rest: Floats,
    recruited: Floats,
    given: Floats,
    kernels: Floats,
    delays: Floats,
    dt: float,
) -> Floats:
    """Return the motoneuron drive of hemisphere 0, shape (n, steps + 1): one trial after the other."""
    count, steps, pulses = given.shape
    course = np.empty((count, steps + 1))
    keep_v, recover = np.exp(-dt / _MEMBRANE), np.exp(-0.5 * dt / _RECOVERY)
    past = np.empty((_SLOTS, 4, 2))
    s, arriving = np.empty((14, 2)), np.empty((6, 2))
    for trial in range(count):
        p, v, ready = parameters[trial], rest[trial, 0].copy(), rest[trial, 2].copy()
        rate = rest[trial, 1]
        for h in range(2):
            gabab = rate[3, h] * (kernels[10, 2] + kernels[11, 2])
            released = rate[2, h] / (1 + p[_PRE, h] * gabab)
            start = (rate[0, h], rate[0, h], rate[0, 1 - h], rate[0, 1 - h], released, rate[3, h], rate[1, h])
            for k in range(14):
                s[k, h] = kernels[k, 2] * start[k // 2]
            for slot in range(_SLOTS):
                past[slot, :, h] = (rate[0, h] * dt, rate[0, h] * dt, released * dt, rate[3, h] * dt)
        course[trial, 0] = s[12, 0] + s[13, 0]
        for n in range(steps):
            for h in range(2):
                for k in range(6):
                    arriving[k, h] = s[2 * k, h] + s[2 * k + 1, h]
            for h in range(2):
                for t in range(4):
                    w = _WEIGHTS[t]
                    gate = (1 + _MG) / (1 + _MG * np.exp(-_MG_PER_MV * v[t, h]))
                    drive = p[w[6], h] + p[w[0], h] * arriving[0, h] - p[w[4], h] * arriving[4, h]
                    nmda = p[w[1], h] * arriving[1, h]
                    if w[2] >= 0:
                        drive += p[w[2], h] * arriving[2, h]
                    if w[3] >= 0:
                        nmda += p[w[3], h] * arriving[3, h]
                    if w[5] >= 0:
                        drive -= p[w[5], h] * arriving[5, h]
                    v[t, h] = keep_v * v[t, h] + (1 - keep_v) * (drive + gate * nmda)
                    excitement = (v[t, h] - p[_THRESHOLD, h]) / p[_SPREAD, h]
                    hazard = _EFFICACY * p[_MAX, h] * dt / (1 + np.exp(-excitement))
                    direct = 0.0
                    for k in range(pulses):
                        direct += given[trial, n, k] * recruited[trial, k, t, h]
                    free = 1 - (1 - ready[t, h]) * recover
                    left = -free * np.expm1(-hazard - direct)
                    ready[t, h] = 1 - (1 - (free - left)) * recover
                    slot = n % _SLOTS
                    if t == 0:
                        past[slot, 0, h] = left
                        past[slot, 1, h] = left * (hazard + p[_SHARE, h] * direct) / (hazard + direct)
                    elif t == 1:
                        for k in range(12, 14):
                            s[k, h] = kernels[k, 0] * s[k, h] + kernels[k, 1] * left
                    elif t == 2:
                        past[slot, 2, h] = left / (1 + p[_PRE, h] * arriving[5, h])
                    else:
                        past[slot, 3, h] = left
            for h in range(2):
                near = past[(n - delays[0]) % _SLOTS, 0, h]
                across = past[(n - delays[1]) % _SLOTS, 1, 1 - h]
                a, b = past[(n - delays[2]) % _SLOTS, 2, h], past[(n - delays[2]) % _SLOTS, 3, h]
                arrived = (near, near, across, across, a, b)
                for k in range(12):
                    s[k, h] = kernels[k, 0] * s[k, h] + kernels[k, 1] * arrived[k // 2]
            course[trial, n + 1] = s[12, 0] + s[13, 0]
    return course
