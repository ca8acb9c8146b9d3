"""Drugs and states as data: which synapses they scale, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.parameters import Circuit, Floats, scale
from sudeck.core.errors import InputError

# Which fields a factor multiplies.
SYNAPSES: Final[dict[str, tuple[str, ...]]] = {
    "gaba_a": ("gabaa_on_e_mv", "gabaa_on_p_mv", "gabaa_on_a_mv", "gabaa_on_b_mv"),
    "gaba_b": ("gabab_on_e_mv", "gabab_on_p_mv", "presynaptic_gabab"),
    "nmda_pyramids": ("nmda_on_e_mv", "nmda_on_p_mv", "callosal_nmda_on_e_mv"),
    "nmda_interneurons": ("nmda_on_a_mv", "nmda_on_b_mv", "callosal_nmda_on_b_mv"),
    "ampa": ("ampa_on_e_mv", "ampa_on_p_mv", "ampa_on_a_mv", "ampa_on_b_mv"),
    "callosum": (
        "callosal_ampa_on_a_mv",
        "callosal_ampa_on_b_mv",
        "callosal_nmda_on_b_mv",
        "callosal_ampa_on_e_mv",
        "callosal_nmda_on_e_mv",
    ),
}


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition: the factors it puts on groups of synapses of both hemispheres.

    Attributes
    ----------
    name : str
    factors : tuple of (str, float)
        Names of `SYNAPSES` and what their weights are multiplied by.
    source : str
        Why these factors.
    """

    name: str
    factors: tuple[tuple[str, float], ...]
    source: str


ARMS: Final[dict[str, Arm]] = {
    arm.name: arm
    for arm in (
        Arm("baseline", (), "no drug"),
        Arm(
            "nmda_block",
            (("nmda_pyramids", 0.6), ("nmda_interneurons", 0.6)),
            "an antagonist that occupies 40 % of NMDA receptors on all cells; used in the fit",
        ),
        Arm("gaba_a", (("gaba_a", 1.3),), "a positive modulator of GABA-A receptors; used in the fit"),
        Arm("gaba_b", (("gaba_b", 1.3),), "a GABA-B agonist in a moderate dose; used in the fit"),
        Arm(
            "acute_ketamine",
            (("nmda_pyramids", 0.9), ("nmda_interneurons", 0.5), ("ampa", 1.05)),
            "healthy people under a low dose: interneurons lose more NMDA current than pyramidal cells, "
            "and glutamate rises (the explanation of Höffken 2013); factors assumed, used in the fit",
        ),
        Arm(
            "post_course",
            (("nmda_pyramids", 0.58), ("nmda_interneurons", 0.55)),
            "patients after five days: the median of courses that show all that was published of 19 patients "
            "(benchmarks/bench_circuit_course.py); another state than `acute_ketamine`, not used in the fit",
        ),
        Arm("midazolam", (("gaba_a", 1.2),), "a sedating dose; a size assumed, as half of `gaba_a` and more"),
    )
}


def apply_factors(
    circuits: Circuit, factors: dict[str, float | Floats] | tuple[tuple[str, float], ...]
) -> Circuit:
    """Return circuits with groups of synapses multiplied.

    Parameters
    ----------
    factors : dict of str to float or array that broadcasts to (2, n)
        Names of `SYNAPSES`.

    Raises
    ------
    InputError
        If a name is unknown or a factor is negative.

    Examples
    --------
    >>> from sudeck.circuit.parameters import STARTING_POINT, make_circuits
    >>> healthy = make_circuits(STARTING_POINT)
    >>> (apply_factors(healthy, {"gaba_a": 2.0}).gabaa_on_a_mv / healthy.gabaa_on_a_mv)[0]
    array([2.])
    """
    for name, factor in dict(factors).items():
        if name not in SYNAPSES:
            raise InputError(f"Factor {name!r}", "it is unknown", f"use one of {', '.join(SYNAPSES)}")
        if not (np.asarray(factor) >= 0).all():
            raise InputError(f"Factor {name!r}", "it is negative or not a number", "give 0 or more")
        circuits = scale(circuits, **dict.fromkeys(SYNAPSES[name], factor))
    return circuits
