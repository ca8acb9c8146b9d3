"""The handful of factors by which a patient's hemisphere may differ from a healthy one."""

from __future__ import annotations

from typing import Final

import numpy as np

from sudeck.circuit.drugs import apply_factors
from sudeck.circuit.parameters import Circuit, Floats

# Gains multiply groups of synapses (`drugs.SYNAPSES`); `callosum` those that come from the other hemisphere.
GAINS: Final = ("gaba_a", "gaba_b", "nmda_pyramids", "nmda_interneurons", "callosum")
# A steady input to the GABA-B interneurons, as from a callosum that never falls silent; in mV, 0 in health.
TONE: Final = "callosal_tone"
FACTORS: Final = (*GAINS, TONE)

N_VISIT: Final = 2 * len(FACTORS)  # numbers a visit: factor by factor, pain-side hemisphere first


def apply_visit(circuits: Circuit, position: Floats) -> Circuit:
    """Return circuits with a patient's factors.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    position : array, shape (12, n)
        Log gains and tones of the two hemispheres.

    Examples
    --------
    >>> from sudeck.circuit.parameters import STARTING_POINT, make_circuits
    >>> healthy = make_circuits(STARTING_POINT)
    >>> position = np.zeros((12, 1)); position[0] = np.log(0.5)
    >>> (apply_visit(healthy, position).gabaa_on_p_mv / healthy.gabaa_on_p_mv).ravel()
    array([0.5, 1. ])
    """
    by_factor = position.reshape(len(FACTORS), 2, -1)
    changed = apply_factors(circuits, {name: np.exp(by_factor[index]) for index, name in enumerate(GAINS)})
    return changed._replace(tonic_on_b_mv=changed.tonic_on_b_mv + by_factor[FACTORS.index(TONE)])
