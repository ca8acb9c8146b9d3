"""What a laboratory calls a measure, in terms of the ones the circuit is asked for.

A name with an interval or intensity between two that the circuit has (``SICI_2.5``) lies between them, on the
log scale; a name without one (``SICI``) is the geometric mean at intervals that laboratories use.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from sudeck.circuit.protocols import MEASURES

# Laboratories report the ipsilateral silent period as a duration, the circuit has its area: left out.
USUAL: Final[dict[str, tuple[str, ...]]] = {
    "RMT": ("RMT",),
    "MEP": ("MEP_1.2",),
    "SICI": ("SICI_2", "SICI_3"),
    "ICF": ("ICF_10", "ICF_15"),
    "LICI": ("LICI_100",),
    "IHI": ("IHI_10",),
    "CSP": ("CSP",),
}
# The response at threshold is 50 µV by definition and says nothing.
_SILENT: Final = "MEP_1"


def parts_of(name: str) -> dict[str, float]:
    """Return the circuit's measures and their weights; none for a name it does not know."""
    return composition_of(name) or {}


def family_of(name: str) -> str:
    """Return the measure without its interval, e.g. ``"SICI"`` of ``"SICI_2"``."""
    return name.split("_")[0]


def composition_of(name: str) -> dict[str, float] | None:
    """Return the circuit's measures and their weights on the log scale; None for a name it does not know.

    Examples
    --------
    >>> composition_of("SICI_2.5")
    {'SICI_2': 0.5, 'SICI_3': 0.5}
    >>> composition_of("SICF") is None
    True
    """
    if name in USUAL:
        return dict.fromkeys(USUAL[name], 1 / len(USUAL[name]))
    family, _, text = name.partition("_")
    try:
        at = float(text)
    except ValueError:
        return None
    known = sorted(
        (float(one.partition("_")[2]), one)
        for one in MEASURES
        if one.startswith(f"{family}_") and one != _SILENT
    )
    for (low, first), (high, second) in pairwise(known):
        if low <= at <= high:
            share = (at - low) / (high - low)
            return {one: weight for one, weight in ((first, 1 - share), (second, share)) if weight > 0}
    return None
