"""What is known of a circuit before any target: a log-normal spread about a starting point.

A *position* is a circuit in units of that spread: one row a fitted parameter, in the order of `FITTED`, 0 at
the starting point, 1 one standard deviation above it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sudeck.circuit.parameters import FITTED, STARTING_POINT, Circuit, Floats, make_circuits

# Spread on the natural-log scale: wide for weights, narrow where intensities in RMT fix the scale.
SPREAD: Final = {name: 0.15 if name.startswith("axon_threshold") else 0.6 for name in FITTED} | {
    "nmda_on_e_mv": 0.9,
    "nmda_on_a_mv": 0.9,
    "nmda_on_b_mv": 0.9,
    "callosal_nmda_on_b_mv": 0.9,
    "callosal_nmda_on_e_mv": 0.9,
    "axon_threshold_p_rmt": 0.25,
    "release_threshold_mv": 0.3,
    "motoneuron_exponent": 0.3,
    "presynaptic_gabab": 0.35,
}


def values_at(position: Floats) -> dict[str, Floats]:
    """Return the fitted parameters at positions of shape (33, n), each of shape (n,)."""
    return {
        name: STARTING_POINT[name] * np.exp(SPREAD[name] * row)
        for name, row in zip(FITTED, position, strict=True)
    }


def circuits_at(position: Floats) -> Circuit:
    """Return the circuits at positions of shape (33, n), both hemispheres equal.

    Examples
    --------
    >>> circuits_at(np.zeros((len(FITTED), 4))).n_circuits
    4
    """
    return make_circuits(values_at(position))


def position_of(values: dict[str, Floats]) -> Floats:
    """Return the positions of fitted parameters, shape (33, n): the inverse of `values_at`."""
    return np.stack(
        [np.log(np.asarray(values[name]) / STARTING_POINT[name]) / SPREAD[name] for name in FITTED]
    )
