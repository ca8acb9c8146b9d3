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
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES: Final = 16

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
# Needed once a pulse, and therefore in no row: thresholds, then spreads, of the axons of the populations.
AXONS: Final = tuple(f"axon_{part}_{p}_rmt" for part in ("threshold", "spread") for p in "epab")
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
EARLIER = ARRIVING + 8 * LANES  # one step before, for delays that end between two steps
GIVEN = EARLIER + 8 * LANES  # share of a pulse within this step
SIZE = GIVEN + LANES

_F = np.float32
_ZERO, _ONE, _TWO = _F(0), _F(1), _F(2)
_HALF, _THIRD, _FOURTH, _FIFTH = _F(1 / 2), _F(1 / 3), _F(1 / 4), _F(1 / 5)
# 2^x on [-0.5, 0.5]: smallest relative error, 8e-8.
_P0, _P1, _P2, _P3, _P4, _P5 = (
    _F(c) for c in (1.00000007, 0.69314697, 0.2402212, 0.05550713, 0.00967554, 0.00132765)
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
    area: Any


class Constants(NamedTuple):
    """The fixed part of the model at one step, in single precision where a loop over lanes reads it."""

    dt_ms: Any  # these two in double precision
    pulse_ms: Any
    step_ms: Any
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
    options: Any = {"fastmath": True, "error_model": "numpy", "nogil": True}

    def decorate(function: _Function) -> _Function:
        if inline:
            return cast("_Function", numba.njit(function, forceinline=True, **options))
        try:
            return cast("_Function", numba.njit(function, cache=True, **options))
        except RuntimeError:  # neither beside this file nor in the user's cache
            return cast("_Function", numba.njit(function, **options))

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
    hazard = c.step_ms * _hazard_per_ms(s, o, s[v])
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
            s[o + row * LANES] = parameters[circuit, hemisphere, row]
        s[o + SPREAD] = _F(1 / math.log(2.0)) / s[o + SPREAD]
        s[o + RELEASE] = c.efficacy * s[o + RELEASE]
    s[lane + TONIC_P] += contraction_mv


@_compiled(inline=False)
def settle_tiles(
    parameters: Any, contraction_mv: Any, circuit: Any, c: Any, steps: Any, damping: Any, rest: Any
) -> None:
    """Find the steady states as `rest.find_rest` does.

    Parameters
    ----------
    parameters : float32 array, shape (circuits, 2, 36)
        `PARAMETERS` and `AXONS`.
    contraction_mv : float32 array, shape (n,)
    circuit : int array, shape (n,)
        n a multiple of `LANES`.
    c : Constants
    steps, damping
        Of the iteration.
    rest : float32 array, shape (n, 2, 13)
        Filled: potential, rate and share of ready cells of the four populations, and the residual.
    """
    s = np.empty(SIZE, np.float32)
    for first in range(0, circuit.size, LANES):
        s[:] = _ZERO
        for i in range(LANES):
            _load_parameters(s, parameters, circuit[first + i], contraction_mv[first + i], i, c)
        for _ in range(steps):
            for o in range(0, 2 * HALF, HALF):
                for p in range(0, 4 * LANES, LANES):
                    for i in range(o, o + LANES):
                        hazard = _hazard_per_ms(s, i, s[i + V + p])
                        s[i + READY + p] = _ONE / (_ONE + hazard * c.recovery_ms)
                        s[i + SPIKES + p] = hazard * s[i + READY + p]
            for h in range(2):
                for i in range(h * HALF, h * HALF + LANES):
                    other = i + (1 - 2 * h) * HALF
                    ampa, nmda = s[i + SPIKES + E] * c.ampa.area, s[i + SPIKES + E] * c.nmda.area
                    x_ampa, x_nmda = s[other + SPIKES + E] * c.ampa.area, s[other + SPIKES + E] * c.nmda.area
                    b = s[i + SPIKES + B] * c.gabab.area
                    a = s[i + SPIKES + A] * c.gabaa.area / (_ONE + s[i + PRESYNAPTIC] * b)
                    drive = _drives(s, i, c, ampa, nmda, x_ampa, x_nmda, a, b)
                    s[i + DIRECT + E] = drive[0] - s[i + V + E]
                    s[i + DIRECT + P] = drive[1] - s[i + V + P]
                    s[i + DIRECT + A] = drive[2] - s[i + V + A]
                    s[i + DIRECT + B] = drive[3] - s[i + V + B]
            for o in range(0, 2 * HALF, HALF):
                for i in range(o, o + 4 * LANES):
                    s[i + V] += damping * s[i + DIRECT]
        for h in range(2):
            for i in range(LANES):
                at = h * HALF + i
                residual = _ZERO
                for p in range(4):
                    hazard = _hazard_per_ms(s, at, s[at + V + p * LANES])
                    ready = _ONE / (_ONE + hazard * c.recovery_ms)
                    rest[first + i, h, p] = s[at + V + p * LANES]
                    rest[first + i, h, 4 + p] = hazard * ready
                    rest[first + i, h, 8 + p] = ready
                    residual = max(residual, abs(s[at + DIRECT + p * LANES]))
                rest[first + i, h, 12] = residual


@_compiled()
def _start(s: Any, rest: Any, at: Any, lane: Any, c: Any) -> None:
    """Put one lane into its steady state."""
    for h in range(2):
        o = h * HALF + lane
        for p in range(4):
            s[o + V + p * LANES] = rest[at, h, p]
            s[o + READY + p * LANES] = rest[at, h, 8 + p]
        e, across, b = rest[at, h, 4], rest[at, 1 - h, 4], rest[at, h, 7]
        _begin(s, o + AMPA, c.ampa, e)
        _begin(s, o + NMDA, c.nmda, e)
        _begin(s, o + X_AMPA, c.ampa, across)
        _begin(s, o + X_NMDA, c.nmda, across)
        held = _begin(s, o + GABAB, c.gabab, b)
        released = rest[at, h, 6] / (_ONE + s[o + PRESYNAPTIC] * held)
        _begin(s, o + GABAA, c.gabaa, released)
        _begin(s, o + MOTO, c.motoneuron, rest[at, h, 5])
        for series, rate in enumerate((e, e, released, b)):
            s[LEAVING + (2 * series + h) * LANES + lane] = rate * c.step_ms


@_compiled()
def _pulse_share(since_ms: Any, pulse_ms: Any) -> Any:
    x = min(max(since_ms / pulse_ms, 0.0), 1.0)
    return x - math.sin(2 * math.pi * x) / (2 * math.pi)


def _copier(numbers: int) -> Any:
    """Return a copy of so many numbers between arrays, which a loop would move one by one."""

    def copy(context: Any, target: Any, to: Any, source: Any, start: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            places = []
            for array, at in ((0, 1), (2, 3)):
                data = context.make_array(signature.args[array])(context, builder, arguments[array]).data
                places.append(builder.gep(data, [arguments[at]]))
            count = context.get_constant(types.intp, numbers)
            cgutils.raw_memcpy(builder, places[0], places[1], count, 4)
            return context.get_dummy_value()

        return types.void(target, types.intp, source, types.intp), generate

    return intrinsic(copy)


_copy_leaving, _copy_arriving = _copier(8 * LANES), _copier(2 * LANES)


@_compiled()
def _arrive(s: Any, past: Any, slots: Any, slot: Any, series: Any, whole: Any, share: Any) -> None:
    """Read what left `whole + share` steps before the step at `slot`, of both hemispheres."""
    row = 2 * series * LANES
    late = slot - whole + (slots if slot < whole else 0)
    _copy_arriving(s, ARRIVING + row, past, late * 8 * LANES + row)
    if share > 0:
        earlier = (late if late > 0 else slots) - 1
        _copy_arriving(s, EARLIER + row, past, earlier * 8 * LANES + row)
        for i in range(row, row + 2 * LANES):
            s[ARRIVING + i] += share * (s[EARLIER + i] - s[ARRIVING + i])


@_compiled()
def _step(s: Any, o: Any, c: Any, h: Any) -> None:
    """Move all lanes of one hemisphere on by a step."""
    for i in range(o, o + LANES):
        ampa, nmda = s[i + AMPA] + s[i + AMPA + LANES], s[i + NMDA] + s[i + NMDA + LANES]
        x_ampa, x_nmda = s[i + X_AMPA] + s[i + X_AMPA + LANES], s[i + X_NMDA] + s[i + X_NMDA + LANES]
        a, b = s[i + GABAA] + s[i + GABAA + LANES], s[i + GABAB] + s[i + GABAB + LANES]
        drive = _drives(s, i, c, ampa, nmda, x_ampa, x_nmda, a, b)
        spikes_e = _release(s, i, c, E, drive[0])
        spikes_p = _release(s, i, c, P, drive[1])
        spikes_a = _release(s, i, c, A, drive[2])
        spikes_b = _release(s, i, c, B, drive[3])
        lane = i - o + h * LANES
        s[LEAVING + lane] = spikes_e
        s[LEAVING + 2 * LANES + lane] = spikes_e
        s[LEAVING + 4 * LANES + lane] = spikes_a / (_ONE + s[i + PRESYNAPTIC] * b)
        s[LEAVING + 6 * LANES + lane] = spikes_b
        near, across = s[ARRIVING + lane], s[ARRIVING + 2 * LANES + i - o + (1 - h) * LANES]
        _advance(s, i + AMPA, c.ampa, near)
        _advance(s, i + NMDA, c.nmda, near)
        _advance(s, i + X_AMPA, c.ampa, across)
        _advance(s, i + X_NMDA, c.nmda, across)
        _advance(s, i + GABAA, c.gabaa, s[ARRIVING + 4 * LANES + lane])
        _advance(s, i + GABAB, c.gabab, s[ARRIVING + 6 * LANES + lane])
        _advance(s, i + MOTO, c.motoneuron, spikes_p)


@_compiled(inline=False)
def run_tiles(
    parameters: Any,
    rest: Any,
    circuit: Any,
    resting: Any,
    contraction_mv: Any,
    time_ms: Any,
    intensity: Any,
    hemisphere: Any,
    trial: Any,
    steps: Any,
    c: Any,
    d: Any,
    first_tile: Any,
    tile_stride: Any,
    course: Any,
    last_rate: Any,
) -> None:
    """Simulate every `tile_stride`-th tile of trials from `first_tile` on.

    Parameters
    ----------
    parameters : float32 array, shape (circuits, 2, 36)
        `PARAMETERS` and `AXONS`.
    rest : float32 array, shape (states, 2, 13)
        From `settle_tiles`.
    circuit, resting : int array, shape (n,)
        Circuit and steady state of each trial.
    contraction_mv : float32 array, shape (n,)
    time_ms, intensity : float array, shape (pulses, n)
    hemisphere : int array, shape (pulses, n)
    trial : int array, shape (tiles * LANES,)
        The trials in order of their length, the last one repeated to fill its tile.
    steps : int array, shape (n,)
    c, d : Constants, Delays
    course : float32 array, shape (n, recorded + 1)
        Filled: motoneuron drive of hemisphere 0 in the last steps of each trial.
    last_rate : float32 array, shape (4, 2, n)
        Filled: spikes per cell and ms in the last step.
    """
    slots = d.whole_callosum + 2
    s = np.empty(SIZE, np.float32)
    past = np.empty(slots * 8 * LANES, np.float32)
    pulses = time_ms.shape[0]
    recruited = np.empty((pulses, 2, 4, LANES), np.float32)
    begins_ms = np.empty((pulses, LANES))
    given_share = np.empty((pulses, LANES))
    recorded = course.shape[1] - 1
    for first in range(first_tile * LANES, trial.size, tile_stride * LANES):
        # Trials of a tile end together: the shorter wait in their steady state.
        total = 0
        for i in range(LANES):
            total = max(total, steps[trial[first + i]])
        is_given = np.zeros(total + 1, np.bool_)
        s[:] = _ZERO
        for i in range(LANES):
            t = trial[first + i]
            _load_parameters(s, parameters, circuit[t], contraction_mv[t], i, c)
            _start(s, rest, resting[t], i, c)
            for k in range(pulses):
                begins_ms[k, i] = time_ms[k, t] + (total - steps[t]) * c.dt_ms
                for p in range(4):
                    for h in range(2):
                        recruited[k, h, p, i] = _ZERO
                        if hemisphere[k, t] == h and intensity[k, t] > 0:
                            excess = intensity[k, t] - parameters[circuit[t], h, _ROWS + p]
                            reached = 1 / (1 + math.exp(-excess / parameters[circuit[t], h, _ROWS + 4 + p]))
                            recruited[k, h, p, i] = c.efficacy * reached
                given_share[k, i] = _pulse_share(-begins_ms[k, i], c.pulse_ms)
                opens = math.floor(begins_ms[k, i] / c.dt_ms)
                closes = math.ceil((begins_ms[k, i] + c.pulse_ms) / c.dt_ms)
                is_given[max(opens, 0) : max(min(closes + 1, total), 0)] = True
        for slot in range(slots):
            _copy_leaving(past, slot * 8 * LANES, s, LEAVING)

        slot = 0
        until = 0.0
        for n in range(total):
            given = is_given[n]
            if given or (n > 0 and is_given[n - 1]):
                for o in range(DIRECT, 2 * HALF, HALF):
                    s[o : o + 4 * LANES] = _ZERO
            if given:
                for k in range(pulses):
                    for i in range(LANES):
                        # Most tiles give their pulses at one time: one sine serves all.
                        if i == 0 or begins_ms[k, i] != begins_ms[k, i - 1]:
                            until = _pulse_share((n + 1) * c.dt_ms - begins_ms[k, i], c.pulse_ms)
                        s[GIVEN + i] = until - given_share[k, i]
                        given_share[k, i] = until
                    for h in range(2):
                        for p in range(4):
                            direct = h * HALF + DIRECT + p * LANES
                            for i in range(LANES):
                                s[direct + i] += s[GIVEN + i] * recruited[k, h, p, i]

            _arrive(s, past, slots, slot, 0, d.whole_e, d.share_e)
            _arrive(s, past, slots, slot, 1, d.whole_callosum, d.share_callosum)
            _arrive(s, past, slots, slot, 2, d.whole_interneuron, d.share_interneuron)
            _arrive(s, past, slots, slot, 3, d.whole_interneuron, d.share_interneuron)
            for h in range(2):
                _step(s, h * HALF, c, h)
            if given:
                for h in range(2):
                    crossing = LEAVING + (2 + h) * LANES
                    for i in range(h * HALF, h * HALF + LANES):
                        hazard, direct = s[i + HAZARD], s[i + DIRECT + E]
                        s[crossing + i - h * HALF] *= (hazard + s[i + SHARE] * direct) / (hazard + direct)
            _copy_leaving(past, slot * 8 * LANES, s, LEAVING)
            slot = slot + 1 if slot + 1 < slots else 0

            at = n + 1 - total + recorded
            if at >= 0:
                for i in range(LANES):
                    course[trial[first + i], at] = s[MOTO + i] + s[MOTO + LANES + i]
        if total == recorded:
            for i in range(LANES):
                t = trial[first + i]
                course[t, 0] = c.motoneuron.area * rest[resting[t], 0, 5]
        for i in range(LANES):
            for p in range(4):
                for h in range(2):
                    last_rate[p, h, trial[first + i]] = s[h * HALF + SPIKES + p * LANES + i] / c.dt_ms
