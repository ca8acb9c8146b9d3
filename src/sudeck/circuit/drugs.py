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
    # Parts of the groups above, and what E releases everywhere: for drugs that tell them apart.
    "nmda_on_a": ("nmda_on_a_mv",),
    "nmda_on_b": ("nmda_on_b_mv", "callosal_nmda_on_b_mv"),
    "gaba_b_on_e": ("gabab_on_e_mv",),
    "gaba_b_on_p": ("gabab_on_p_mv",),
    "release_of_e": tuple(
        name for name in Circuit._fields if name.endswith("_mv") and ("ampa" in name or "nmda" in name)
    ),
    "axon_thresholds": tuple(f"axon_threshold_{population}_rmt" for population in "epab"),
    "callosum": (
        "callosal_ampa_on_a_mv",
        "callosal_ampa_on_b_mv",
        "callosal_nmda_on_b_mv",
        "callosal_ampa_on_e_mv",
        "callosal_nmda_on_e_mv",
    ),
}


# What a number of these names is added to instead.
SHIFTS: Final[dict[str, tuple[str, ...]]] = {
    "gabab_agonist": ("gabab_agonist",),
    "drive_of_e_mv": ("tonic_on_e_mv",),
    "drive_of_pyramids_mv": ("tonic_on_e_mv", "tonic_on_p_mv"),
}


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition: the factors it puts on groups of synapses of both hemispheres.

    Attributes
    ----------
    name : str
    factors : tuple of (str, float)
        Names of `SYNAPSES` and what their weights are multiplied by; of `SHIFTS` and what is added.
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
            (("nmda_on_a", 0.5), ("nmda_on_b", 0.9), ("ampa", 1.05)),
            "healthy people under a low dose of S-ketamine: fast interneurons lose NMDA current, the other "
            "cells hardly, and glutamate rises (the explanation of Höffken 2013); factors assumed, used in "
            "the fit",
        ),
        Arm(
            "post_course",
            (("nmda_pyramids", 0.58), ("nmda_interneurons", 0.55)),
            "patients after five days: the median of courses that show all that was published of 19 patients "
            "(benchmarks/bench_circuit_course.py); another state than acute ketamine, not used in the fit",
        ),
        Arm("midazolam", (("gaba_a", 1.2),), "a sedating dose; size assumed"),
        # Frozen before the circuits of today were fitted, and used in no fit. The sizes of the first three
        # were chosen on other circuits, with their signs in sight; those of the rest are round.
        Arm(
            "baclofen",
            (("gabab_agonist", 0.4), ("gaba_b_on_e", 1.3), ("gaba_b_on_p", 1.1), ("release_of_e", 0.97)),
            "a GABA-B agonist: at terminals of GABA-A cells first, on cells, a little at those of layer 2/3; "
            "sizes assumed",
        ),
        Arm(
            "tiagabine",
            (("gabab_agonist", 0.8), ("gaba_b", 1.15), ("release_of_e", 0.94)),
            "GABA stays longer outside cells: terminals feel it most; sizes assumed",
        ),
        Arm(
            "s44819",
            (("drive_of_pyramids_mv", 0.15),),
            "blocks GABA-A receptors outside synapses, whose steady current is one less; size assumed",
        ),
        Arm("benzodiazepine", (("gaba_a", 1.3),), "a positive modulator of GABA-A receptors in a full dose"),
        Arm("anaesthetic", (("gaba_a", 1.5),), "propofol or a barbiturate; size assumed"),
        Arm(
            "sodium_block",
            (("axon_thresholds", 1.05), ("callosum", 0.9)),
            "carbamazepine, lamotrigine: axons are harder to excite and thin callosal ones conduct less; "
            "sizes assumed",
        ),
        Arm(
            "riluzole",
            (("release_of_e", 0.95), ("nmda_pyramids", 0.8), ("nmda_interneurons", 0.8)),
            "less glutamate released, and less NMDA current; sizes assumed",
        ),
        Arm("gabapentin", (("release_of_e", 0.97), ("gaba_b", 1.1)), "sizes and site assumed"),
        Arm(
            "alpha_2",
            (("drive_of_e_mv", -0.15),),
            "guanfacine: less noradrenaline, so layer 2/3 pyramidal cells are less excitable; size assumed",
        ),
        Arm(
            "noradrenaline",
            (("drive_of_e_mv", 0.15),),
            "reboxetine: the opposite; size assumed",
        ),
        Arm(
            "ethanol",
            (("gaba_a", 1.1), ("nmda_pyramids", 0.85), ("nmda_interneurons", 0.85)),
            "a moderate dose; sizes assumed",
        ),
    )
}


def apply_factors(
    circuits: Circuit, factors: dict[str, float | Floats] | tuple[tuple[str, float], ...]
) -> Circuit:
    """Return circuits with groups of synapses multiplied.

    Parameters
    ----------
    factors : dict of str to float or array that broadcasts to (2, n)
        Names of `SYNAPSES`, or of `SHIFTS` with what is added.

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
        if name in SHIFTS:
            moved = {field: getattr(circuits, field) + factor for field in SHIFTS[name]}
            circuits = circuits._replace(**moved)
            continue
        if name not in SYNAPSES:
            known = ", ".join((*SYNAPSES, *SHIFTS))
            raise InputError(f"Factor {name!r}", "it is unknown", f"use one of {known}")
        if not (np.asarray(factor) >= 0).all():
            raise InputError(f"Factor {name!r}", "it is negative or not a number", "give 0 or more")
        circuits = scale(circuits, **dict.fromkeys(SYNAPSES[name], factor))
    return circuits
