"""The steady states of circuits, compiled by Numba: what `rest.find_rest` does, in lanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sudeck.circuit.steppers.numba_cell import ONE, ZERO, drives, hazard_per_ms, load_parameters
from sudeck.circuit.steppers.numba_rows import (
    AGONIST,
    DEPRESSION,
    DIRECT,
    HALF,
    LANES,
    PRESYNAPTIC,
    READY,
    SIZE,
    SPIKES,
    A,
    B,
    E,
    P,
    V,
    kept,
)


@kept
def settle_tiles(
    parameters: Any, contraction_mv: Any, circuit: Any, c: Any, steps: Any, damping: Any, rest: Any
) -> None:
    """Find the steady states as `rest.find_rest` does.

    Parameters
    ----------
    parameters : float32 array, shape (circuits, 2, 38)
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
        s[:] = ZERO
        for i in range(LANES):
            load_parameters(s, parameters, circuit[first + i], contraction_mv[first + i], i, c)
        for _ in range(steps):
            for o in range(0, 2 * HALF, HALF):
                for p in range(0, 4 * LANES, LANES):
                    for i in range(o, o + LANES):
                        hazard = hazard_per_ms(s, i, s[i + V + p])
                        s[i + READY + p] = ONE / (ONE + hazard * c.recovery_ms)
                        s[i + SPIKES + p] = hazard * s[i + READY + p]
            for h in range(2):
                for i in range(h * HALF, h * HALF + LANES):
                    other = i + (1 - 2 * h) * HALF
                    e = s[i + SPIKES + E]
                    local = e / (ONE + s[i + DEPRESSION] * c.depression_ms * e)
                    ampa, nmda = local * c.ampa.area, local * c.nmda.area
                    x_ampa, x_nmda = s[other + SPIKES + E] * c.ampa.area, s[other + SPIKES + E] * c.nmda.area
                    b = s[i + SPIKES + B] * c.gabab.area
                    a = s[i + SPIKES + A] * c.gabaa.area / (ONE + s[i + PRESYNAPTIC] * (b + s[i + AGONIST]))
                    drive = drives(s, i, c, ampa, nmda, x_ampa, x_nmda, a, b)
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
                residual = ZERO
                for p in range(4):
                    hazard = hazard_per_ms(s, at, s[at + V + p * LANES])
                    ready = ONE / (ONE + hazard * c.recovery_ms)
                    rest[first + i, h, p] = s[at + V + p * LANES]
                    rest[first + i, h, 4 + p] = hazard * ready
                    rest[first + i, h, 8 + p] = ready
                    residual = max(residual, abs(s[at + DIRECT + p * LANES]))
                rest[first + i, h, 12] = residual
