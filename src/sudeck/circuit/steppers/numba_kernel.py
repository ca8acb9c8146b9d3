"""The circuit step by step, compiled by Numba: trials side by side in the lanes of the processor's registers.

The order is the one of `reference_stepper`. `numba_rows` says where what is kept, `numba_cell` holds the
arithmetic of one lane.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from sudeck.circuit.steppers.numba_cell import (
    HALVED,
    ONE,
    ZERO,
    advance,
    begin,
    drives,
    load_parameters,
    release,
)
from sudeck.circuit.steppers.numba_rows import (
    AGONIST,
    AMPA,
    ARRIVING,
    DEPRESSION,
    DIRECT,
    EARLIER,
    FULL,
    GABAA,
    GABAB,
    GIVEN,
    HALF,
    HAZARD,
    LANES,
    LEAVING,
    MOTO,
    NMDA,
    PRESYNAPTIC,
    READY,
    ROWS,
    SHARE,
    SIZE,
    SPIKES,
    X_AMPA,
    X_NMDA,
    A,
    B,
    E,
    P,
    V,
    inlined,
    kept,
)


@inlined
def _start(s: Any, rest: Any, at: Any, lane: Any, c: Any) -> None:
    """Put one lane into its steady state."""
    for h in range(2):
        o = h * HALF + lane
        for p in range(4):
            s[o + V + p * LANES] = rest[at, h, p]
            s[o + READY + p * LANES] = rest[at, h, 8 + p]
        e, across, b = rest[at, h, 4], rest[at, 1 - h, 4], rest[at, h, 7]
        s[o + FULL] = ONE / (ONE + s[o + DEPRESSION] * c.depression_ms * e)
        local = s[o + FULL] * e
        begin(s, o + AMPA, c.ampa, local)
        begin(s, o + NMDA, c.nmda, local)
        begin(s, o + X_AMPA, c.ampa, across)
        begin(s, o + X_NMDA, c.nmda, across)
        held = begin(s, o + GABAB, c.gabab, b)
        released = rest[at, h, 6] / (ONE + s[o + PRESYNAPTIC] * (held + s[o + AGONIST]))
        begin(s, o + GABAA, c.gabaa, released)
        begin(s, o + MOTO, c.motoneuron, rest[at, h, 5])
        for series, rate in enumerate((local, e, released, b)):
            s[LEAVING + (2 * series + h) * LANES + lane] = rate * c.step_ms


@inlined
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


@inlined
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


@inlined
def _step(s: Any, o: Any, c: Any, h: Any) -> None:
    """Move all lanes of one hemisphere on by a step."""
    for i in range(o, o + LANES):
        ampa, nmda = s[i + AMPA] + s[i + AMPA + LANES], s[i + NMDA] + s[i + NMDA + LANES]
        x_ampa, x_nmda = s[i + X_AMPA] + s[i + X_AMPA + LANES], s[i + X_NMDA] + s[i + X_NMDA + LANES]
        a, b = s[i + GABAA] + s[i + GABAA + LANES], s[i + GABAB] + s[i + GABAB + LANES]
        drive = drives(s, i, c, ampa, nmda, x_ampa, x_nmda, a, b)
        spikes_e = release(s, i, c, E, drive[0])
        spikes_p = release(s, i, c, P, drive[1])
        spikes_a = release(s, i, c, A, drive[2])
        spikes_b = release(s, i, c, B, drive[3])
        lane = i - o + h * LANES
        full = ONE - (ONE - s[i + FULL]) * c.refill
        local = full * spikes_e * (ONE - HALVED * s[i + DEPRESSION] * spikes_e)
        s[i + FULL] = ONE - (ONE - (full - s[i + DEPRESSION] * local)) * c.refill
        s[LEAVING + lane] = local
        s[LEAVING + 2 * LANES + lane] = spikes_e
        s[LEAVING + 4 * LANES + lane] = spikes_a / (ONE + s[i + PRESYNAPTIC] * (b + s[i + AGONIST]))
        s[LEAVING + 6 * LANES + lane] = spikes_b
        near, across = s[ARRIVING + lane], s[ARRIVING + 2 * LANES + i - o + (1 - h) * LANES]
        advance(s, i + AMPA, c.ampa, near)
        advance(s, i + NMDA, c.nmda, near)
        advance(s, i + X_AMPA, c.ampa, across)
        advance(s, i + X_NMDA, c.nmda, across)
        advance(s, i + GABAA, c.gabaa, s[ARRIVING + 4 * LANES + lane])
        advance(s, i + GABAB, c.gabab, s[ARRIVING + 6 * LANES + lane])
        advance(s, i + MOTO, c.motoneuron, spikes_p)


@kept
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
    parameters : float32 array, shape (circuits, 2, 38)
        `PARAMETERS` and `AXONS`.
    rest : float32 array, shape (states, 2, 13)
        From `numba_rest.settle_tiles`.
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
        s[:] = ZERO
        for i in range(LANES):
            t = trial[first + i]
            load_parameters(s, parameters, circuit[t], contraction_mv[t], i, c)
            _start(s, rest, resting[t], i, c)
            for k in range(pulses):
                begins_ms[k, i] = time_ms[k, t] + (total - steps[t]) * c.dt_ms
                for p in range(4):
                    for h in range(2):
                        recruited[k, h, p, i] = ZERO
                        if hemisphere[k, t] == h and intensity[k, t] > 0:
                            excess = intensity[k, t] - parameters[circuit[t], h, ROWS + p]
                            reached = 1 / (1 + math.exp(-excess / parameters[circuit[t], h, ROWS + 4 + p]))
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
                    s[o : o + 4 * LANES] = ZERO
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
