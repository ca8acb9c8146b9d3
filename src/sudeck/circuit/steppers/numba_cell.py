"""One step of one population of one trial, as the Numba kernel writes it into its loops over lanes.

What keeps a loop from becoming vector instructions is kept out: calls, divisions checked for zero, double
precision. `s` is the block of a tile, `o` where a lane of a hemisphere begins, `c` the constants.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sudeck.circuit.steppers.numba_rows import (
    AMPA_A,
    AMPA_B,
    AMPA_E,
    AMPA_P,
    DIRECT,
    GABAA_A,
    GABAA_B,
    GABAA_E,
    GABAA_P,
    GABAB_E,
    GABAB_P,
    HALF,
    HAZARD,
    LANES,
    NMDA_A,
    NMDA_B,
    NMDA_E,
    NMDA_P,
    READY,
    RELEASE,
    ROWS,
    SPIKES,
    SPREAD,
    THRESHOLD,
    TONIC_A,
    TONIC_B,
    TONIC_E,
    TONIC_P,
    X_AMPA_A,
    X_AMPA_B,
    X_AMPA_E,
    X_NMDA_B,
    X_NMDA_E,
    A,
    B,
    E,
    P,
    V,
    inlined,
)

F = np.float32
ZERO, ONE, _TWO = F(0), F(1), F(2)
HALVED, _THIRD, _FOURTH, _FIFTH = F(1 / 2), F(1 / 3), F(1 / 4), F(1 / 5)
# 2^x on [-0.5, 0.5]: smallest relative error, 8e-8.
_P0, _P1, _P2, _P3, _P4, _P5 = (
    F(c) for c in (1.00000007, 0.69314697, 0.2402212, 0.05550713, 0.00967554, 0.00132765)
)
_EXPONENT_LIMIT, _BIAS, _MANTISSA_BITS = F(100), 127, 23
_BIAS_ROUNDED, _BIAS_F = F(_BIAS + 0.5), F(_BIAS)


@inlined
def _exp2(x: Any) -> Any:
    """Return 2^x to single precision: the exponent by its bits, the rest by a polynomial."""
    x = min(max(x, -_EXPONENT_LIMIT), _EXPONENT_LIMIT)
    whole = np.int32(x + _BIAS_ROUNDED)
    f = x - (F(whole) - _BIAS_F)
    power = _P0 + f * (_P1 + f * (_P2 + f * (_P3 + f * (_P4 + f * _P5))))
    return power * np.int32(whole << np.int32(_MANTISSA_BITS)).view(np.float32)


@inlined
def _released_share(hazard: Any) -> Any:
    """Return ``1 − exp(−hazard)`` without cancellation: series of its half, exact to 1e-6 below 1."""
    x = hazard * HALVED
    s = x * (ONE - x * HALVED * (ONE - x * _THIRD * (ONE - x * _FOURTH * (ONE - x * _FIFTH))))
    return s * (_TWO - s)


@inlined
def _gate(s: Any, at: Any, c: Any) -> Any:
    return c.magnesium_open / (ONE + c.magnesium * _exp2(c.magnesium_log2_per_mv * s[at]))


@inlined
def hazard_per_ms(s: Any, o: Any, potential: Any) -> Any:
    """Return the hazard of a ready cell of one lane."""
    return s[o + RELEASE] / (ONE + _exp2((s[o + THRESHOLD] - potential) * s[o + SPREAD]))


@inlined
def drives(s: Any, o: Any, c: Any, ampa: Any, nmda: Any, x_ampa: Any, x_nmda: Any, a: Any, b: Any) -> Any:
    """Return the input to E, P, A and B of one lane; `o` is where its hemisphere begins."""
    return (
        s[o + AMPA_E] * ampa
        + s[o + X_AMPA_E] * x_ampa
        + _gate(s, o + V + E, c) * (s[o + NMDA_E] * nmda + s[o + X_NMDA_E] * x_nmda)
        - s[o + GABAA_E] * a
        - s[o + GABAB_E] * b
        + s[o + TONIC_E],
        s[o + AMPA_P] * ampa
        + _gate(s, o + V + P, c) * s[o + NMDA_P] * nmda
        - s[o + GABAA_P] * a
        - s[o + GABAB_P] * b
        + s[o + TONIC_P],
        s[o + AMPA_A] * ampa
        + s[o + X_AMPA_A] * x_ampa
        + _gate(s, o + V + A, c) * s[o + NMDA_A] * nmda
        - s[o + GABAA_A] * a
        + s[o + TONIC_A],
        s[o + AMPA_B] * ampa
        + s[o + X_AMPA_B] * x_ampa
        + _gate(s, o + V + B, c) * (s[o + NMDA_B] * nmda + s[o + X_NMDA_B] * x_nmda)
        - s[o + GABAA_B] * a
        + s[o + TONIC_B],
    )


@inlined
def release(s: Any, o: Any, c: Any, population: Any, drive: Any) -> Any:
    """Move one population of one lane on by a step; return its spikes."""
    v, ready = o + V + population, o + READY + population
    s[v] = c.keep_v * s[v] + c.take_v * drive
    hazard = c.step_ms * hazard_per_ms(s, o, s[v])
    if population == E:
        s[o + HAZARD] = hazard
    free = ONE - (ONE - s[ready]) * c.recover
    left = free * _released_share(hazard + s[o + DIRECT + population])
    s[ready] = ONE - (ONE - (free - left)) * c.recover
    s[o + SPIKES + population] = left
    return left


@inlined
def advance(s: Any, at: Any, kernel: Any, spikes: Any) -> None:
    """Move a synapse of one lane on by a step, with `spikes` arriving in it."""
    s[at] = kernel.keep_slow * s[at] + kernel.gain_slow * spikes
    s[at + LANES] = kernel.keep_fast * s[at + LANES] + kernel.gain_fast * spikes


@inlined
def begin(s: Any, at: Any, kernel: Any, rate_per_ms: Any) -> Any:
    """Put a synapse of one lane into its state at a steady rate; return its value."""
    s[at] = kernel.steady_slow * rate_per_ms
    s[at + LANES] = kernel.steady_fast * rate_per_ms
    return s[at] + s[at + LANES]


@inlined
def load_parameters(s: Any, parameters: Any, circuit: Any, contraction_mv: Any, lane: Any, c: Any) -> None:
    """Fill one lane with the parameters of a circuit, both hemispheres."""
    for hemisphere in range(2):
        o = hemisphere * HALF + lane
        for row in range(ROWS):
            s[o + row * LANES] = parameters[circuit, hemisphere, row]
        s[o + SPREAD] = F(1 / math.log(2.0)) / s[o + SPREAD]
        s[o + RELEASE] = c.efficacy * s[o + RELEASE]
    s[lane + TONIC_P] += contraction_mv
