"""The circuit step by step, compiled by Numba: trials side by side in the lanes of the processor's registers.

A tile of `LANES` trials keeps everything it needs in one small block of memory: rows of one number per trial,
parameters first, then what changes. Every innermost loop runs over the lanes and becomes vector instructions;
what would keep it from that (calls, divisions checked for zero, double precision) is kept out. The order is
the one of `reference_stepper`.

Every constant of the model arrives as an argument: compiled code is kept on disk and looks at changes of this
file alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import numba
import numpy as np

LANES: Final = 32

# Rows of parameters, in this order; the release threshold and spread are kept ready for a power of two.
PARAMETERS: Final = (
    *("ampa_on_e_mv", "nmda_on_e_mv", "gabaa_on_e_mv", "gabab_on_e_mv"),
    *("ampa_on_p_mv", "nmda_on_p_mv", "gabaa_on_p_mv", "gabab_on_p_mv"),
    *("ampa_on_a_mv", "nmda_on_a_mv", "gabaa_on_a_mv"),
    *("ampa_on_b_mv", "nmda_on_b_mv", "gabaa_on_b_mv"),
    *("callosal_ampa_on_a_mv", "callosal_ampa_on_b_mv", "callosal_nmda_on_b_mv"),
    *("callosal_ampa_on_e_mv", "callosal_nmda_on_e_mv"),
    *("callosal_direct_share", "presynaptic_gabab"),
    *("release_threshold_mv", "release_spread_mv", "release_max_per_ms"),
    *("tonic_on_e_mv", "tonic_on_p_mv", "tonic_on_a_mv", "tonic_on_b_mv"),
)
_ROWS: Final = len(PARAMETERS)
(AMPA_E, NMDA_E, GABAA_E, GABAB_E, AMPA_P, NMDA_P, GABAA_P, GABAB_P, AMPA_A, NMDA_A, GABAA_A) = range(
    0, 11 * LANES, LANES
)
(AMPA_B, NMDA_B, GABAA_B, X_AMPA_A, X_AMPA_B, X_NMDA_B, X_AMPA_E, X_NMDA_E, SHARE, PRESYNAPTIC) = range(
    11 * LANES, 21 * LANES, LANES
)
(THRESHOLD, SPREAD, RELEASE, TONIC_E, TONIC_P, TONIC_A, TONIC_B) = range(21 * LANES, 28 * LANES, LANES)

# What changes, of one hemisphere: potentials, refractoriness, the two exponentials of every synapse, drive
# by a pulse, spikes. Offsets count numbers, not rows.
E, P, A, B = range(0, 4 * LANES, LANES)
V, READY, DIRECT, SPIKES = (offset * LANES for offset in (_ROWS, _ROWS + 4, _ROWS + 8, _ROWS + 12))
(AMPA, NMDA, X_AMPA, X_NMDA, GABAA, GABAB, MOTO) = range(
    (_ROWS + 16) * LANES, (_ROWS + 30) * LANES, 2 * LANES
)
HAZARD = (_ROWS + 30) * LANES
HALF = (_ROWS + 31) * LANES
# After both hemispheres: what leaves for delays and what arrives from them. Four series (E, E through the
# callosum, A, B), hemispheres next to each other.
LEAVING = 2 * HALF
ARRIVING = LEAVING + 8 * LANES
SIZE = ARRIVING + 8 * LANES

_F = np.float32
_ZERO, _ONE, _TWO = _F(0), _F(1), _F(2)
_HALF, _THIRD, _FOURTH, _FIFTH = _F(1 / 2), _F(1 / 3), _F(1 / 4), _F(1 / 5)
# 2^x on [-0.5, 0.5] to 2e-7, least squares of the relative error.
_P0, _P1, _P2, _P3, _P4, _P5 = (
    _F(c) for c in (0.99999993, 0.69314757, 0.24022651, 0.05549635, 0.00967, 0.00132865)
)
_EXPONENT_LIMIT, _BIAS, _MANTISSA_BITS = _F(100), 127, 23
_BIAS_ROUNDED, _BIAS_F = _F(_BIAS + 0.5), _F(_BIAS)


class Exponentials(NamedTuple):
    """One kernel at one step: what its slow and fast parts keep, gain by a spike, and are at a rate of 1."""

    keep_slow: Any
    keep_fast: Any
    gain_slow: Any
    gain_fast: Any
    steady_slow: Any
    steady_fast: Any


class Constants(NamedTuple):
    """The fixed part of the model at one step, in single precision where a loop over lanes reads it."""

    dt_ms: Any
    pulse_ms: Any
    efficacy: Any
    recovery_ms: Any
    ampa: Exponentials
    nmda: Exponentials
    gabaa: Exponentials
    gabab: Exponentials
    motoneuron: Exponentials
    keep_v: Any
    take_v: Any
    recover: Any
    magnesium: Any
    magnesium_open: Any
    magnesium_log2_per_mv: Any


class Delays(NamedTuple):
    """Whole steps and the share of a further one, for E, the callosum and the interneurons."""

    whole_e: Any
    whole_callosum: Any
    whole_interneuron: Any
    share_e: Any
    share_callosum: Any
    share_interneuron: Any


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(*, inline: bool = True) -> Callable[[_Function], _Function]:
    """Compile with `numba.njit`, keep the result on disk where a folder can be written to."""
    options = {"fastmath": True, "error_model": "numpy", "nogil": True}

    def decorate(function: _Function) -> _Function:
        if inline:
            return numba.njit(function, forceinline=True, **options)  # type: ignore[no-any-return]
        try:
            return numba.njit(function, cache=True, **options)  # type: ignore[no-any-return]
        except RuntimeError:  # neither beside this file nor in the user's cache
            return numba.njit(function, **options)  # type: ignore[no-any-return]

    return decorate


@_compiled()
def _exp2(x: Any) -> Any:
    """Return 2^x to single precision: the exponent by its bits, the rest by a polynomial."""
    x = min(max(x, -_EXPONENT_LIMIT), _EXPONENT_LIMIT)
    whole = np.int32(x + _BIAS_ROUNDED)
    f = x - (_F(whole) - _BIAS_F)
    power = _P0 + f * (_P1 + f * (_P2 + f * (_P3 + f * (_P4 + f * _P5))))
    return power * np.int32(whole << np.int32(_MANTISSA_BITS)).view(np.float32)


@_compiled()
def _released_share(hazard: Any) -> Any:
    """Return ``1 − exp(−hazard)`` without cancellation: series of its half, exact to 1e-6 below 1."""
    x = hazard * _HALF
    s = x * (_ONE - x * _HALF * (_ONE - x * _THIRD * (_ONE - x * _FOURTH * (_ONE - x * _FIFTH))))
    return s * (_TWO - s)


@_compiled()
def _gate(s: Any, at: Any, c: Any) -> Any:
    return c.magnesium_open / (_ONE + c.magnesium * _exp2(c.magnesium_log2_per_mv * s[at]))


@_compiled()
def _hazard_per_ms(s: Any, o: Any, potential: Any) -> Any:
    return s[o + RELEASE] / (_ONE + _exp2((s[o + THRESHOLD] - potential) * s[o + SPREAD]))


@_compiled()
def _drives(s: Any, o: Any, c: Any, ampa: Any, nmda: Any, x_ampa: Any, x_nmda: Any, a: Any, b: Any) -> Any:
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


@_compiled()
def _release(s: Any, o: Any, c: Any, population: Any, drive: Any) -> Any:
    """Move one population of one lane on by a step; return its spikes."""
    v, ready = o + V + population, o + READY + population
    s[v] = c.keep_v * s[v] + c.take_v * drive
    hazard = c.dt_ms * _hazard_per_ms(s, o, s[v])
    if population == E:
        s[o + HAZARD] = hazard
    free = _ONE - (_ONE - s[ready]) * c.recover
    left = free * _released_share(hazard + s[o + DIRECT + population])
    s[ready] = _ONE - (_ONE - (free - left)) * c.recover
    s[o + SPIKES + population] = left
    return left


@_compiled()
def _advance(s: Any, at: Any, kernel: Any, spikes: Any) -> None:
    s[at] = kernel.keep_slow * s[at] + kernel.gain_slow * spikes
    s[at + LANES] = kernel.keep_fast * s[at + LANES] + kernel.gain_fast * spikes


@_compiled()
def _begin(s: Any, at: Any, kernel: Any, rate_per_ms: Any) -> Any:
    s[at] = kernel.steady_slow * rate_per_ms
    s[at + LANES] = kernel.steady_fast * rate_per_ms
    return s[at] + s[at + LANES]


@_compiled()
def _load_parameters(s: Any, parameters: Any, circuit: Any, contraction_mv: Any, lane: Any, c: Any) -> None:
    for hemisphere in range(2):
        o = hemisphere * HALF + lane
        for row in range(_ROWS):
            s[o + row * LANES] = parameters[row, hemisphere, circuit]
        s[o + SPREAD] = _F(1 / math.log(2.0)) / s[o + SPREAD]
        s[o + RELEASE] = c.efficacy * s[o + RELEASE]
    s[lane + TONIC_P] += contraction_mv
