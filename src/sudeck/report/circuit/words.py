"""What the circuit is given and shows, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sudeck.circuit.drugs import SHIFTS
from sudeck.report.mechanism.words import measure_text

_CHANGED: Final = {
    "gaba_a": "GABA-A",
    "gaba_b": "GABA-B",
    "nmda_pyramids": "NMDA on pyramidal cells",
    "nmda_interneurons": "NMDA on interneurons",
    "nmda_on_a": "NMDA on GABA-A cells",
    "nmda_on_b": "NMDA on GABA-B cells",
    "gaba_b_on_e": "GABA-B on layer 2/3",
    "gaba_b_on_p": "GABA-B on layer 5",
    "ampa": "AMPA",
    "release_of_e": "release of layer 2/3",
    "axon_thresholds": "thresholds of axons",
    "callosum": "input from the other hemisphere",
    "gabab_agonist": "agonist of GABA-B at terminals",
    "drive_of_e_mv": "drive of layer 2/3 (mV)",
    "drive_of_pyramids_mv": "drive of pyramidal cells (mV)",
}
_BESIDE: Final = {
    "sici": "SICI",
    "sici_with_lici": "SICI with LICI",
    "sici_with_ihi": "SICI with IHI",
    "ihi": "IHI",
    "ihi_after_sici": "IHI after SICI",
    "ihi_after_lici": "IHI after LICI",
    "ihi_after_icf": "IHI after ICF",
}


def change_text(factors: Mapping[str, float]) -> str:
    """Return what was changed, empty where nothing was.

    Examples
    --------
    >>> change_text({"ampa": 1.05, "gabab_agonist": 0.4})
    'AMPA ×1.05, agonist of GABA-B at terminals +0.4'
    """
    return ", ".join(
        f"{_CHANGED[name]} {factor:+g}" if name in SHIFTS else f"{_CHANGED[name]} ×{factor:g}"
        for name, factor in factors.items()
    )


def shown_text(name: str) -> str:
    """Return a row of an experiment as a reader knows it.

    Examples
    --------
    >>> shown_text("MEP_1.2"), shown_text("CV_1.2"), shown_text("ihi_after_icf")
    ('MEP, 1.2 RMT', 'Spread, 1.2 RMT', 'IHI after ICF')
    """
    family, _, at = name.partition("_")
    return f"Spread, {at} RMT" if family == "CV" else _BESIDE.get(name) or measure_text(name)
