"""What drives a ratio of ratios away from 1: bone up is not flow down, though the ratio is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sudeck.core.estimate import Estimate
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, ScanPhase

_WORDS: Final[dict[ScanPhase, str]] = {"vascular": "flow", "tissue": "pool", "bone": "bone"}


def drivers(estimates: Mapping[str, Estimate], of_uptake: Mapping[str, Estimate]) -> dict[str, str]:
    """Return what each ratio of ratios comes from: ``"bone up"``, ``"flow down"``, or both, with a comma.

    A phase counts where the interval of its own ratio leaves 1 out; empty where neither does.

    Parameters
    ----------
    estimates, of_uptake : Mapping of str to Estimate
        Ratios of the image, and of uptake per area, which are used where there are any.
    """
    found: dict[str, str] = {}
    for name, phases in RATIOS_OF_RATIOS.items():
        if name not in estimates:
            continue
        parts = []
        for phase in phases:
            ratio = PHASE_RATIOS[phase]
            estimate = of_uptake.get(ratio, estimates.get(ratio))
            if estimate is not None and not estimate.low <= 1 <= estimate.high:
                parts.append(f"{_WORDS[phase]} {'up' if estimate.value > 1 else 'down'}")
        found[name] = ", ".join(parts)
    return found
