"""Whether left and right are exchanged in a phase: by the shapes of the limbs, and by their asymmetries."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase

# Sudeck's own limit: no range of differences between phases is published. Flow down and bone up in one limb
# (disuse, a late stage) is ordinary and stays below it.
_OPPOSITE = 0.7  # between log ratios of opposite sign
_OPPOSITE_EACH = 0.1  # a log ratio that lies clearly on one side
# Log odds of the sides by the shapes of the limbs: mirrored beyond doubt, and settled as stated. Limbs drawn
# as exact mirror images say nothing, within 5 in 36 studies; limbs as people have them say 7 to 80.
_SURELY_MIRRORED, _SIDES_HOLD = 7.0, 5.0
_CHECK_SIDES = "Check its view, or give it alone with --image-left."


def mirrored_flags(sides_hold: Mapping[ScanPhase, float]) -> list[Flag]:
    """Flag a phase whose limbs have the shapes of the other side's: its left and right are exchanged.

    Parameters
    ----------
    sides_hold : Mapping of phase to float
        From `sudeck.scan.limbs.mirrored.mirror_evidence`.
    """
    if not sides_hold or min(sides_hold.values()) > -_SURELY_MIRRORED:
        return []
    name = min(sides_hold, key=sides_hold.__getitem__)
    which, rest = _one_or_either(name, tuple(sides_hold))
    return [
        Flag(
            "phase-mirrored",
            f"By the shapes of the limbs {which} shows {rest} mirrored: its left and right are exchanged. "
            f"{_CHECK_SIDES}",
            "serious",
            name,
            sides_hold[name],
            -_SURELY_MIRRORED,
        )
    ]


def opposite_flags(
    log_ratios: Mapping[ScanPhase, float], sides_hold: Mapping[ScanPhase, float] | None = None
) -> list[Flag]:
    """Flag a phase whose asymmetry is opposite to the others': its left and right may be exchanged.

    An asymmetry that physiology allows is flagged only where the shapes of the limbs leave the sides open.

    Parameters
    ----------
    log_ratios : Mapping of phase to float
        Natural logarithms of affected over healthy.
    sides_hold : Mapping of phase to float, optional
        From `sudeck.scan.limbs.mirrored.mirror_evidence`.
    """
    for name, value in sorted(log_ratios.items(), key=lambda item: (sides_hold or {}).get(item[0], 0.0)):
        others = [other for phase, other in log_ratios.items() if phase != name]
        apart = min((abs(value - other) for other in others), default=0.0)
        opposed = all(value * other < 0 and min(abs(value), abs(other)) > _OPPOSITE_EACH for other in others)
        open_sides = sides_hold is not None and sides_hold.get(name, 0.0) < _SIDES_HOLD
        if not others or not opposed or (apart <= _OPPOSITE and not open_sides):
            continue
        which, rest = _one_or_either(name, tuple(log_ratios))
        unlikely = (
            "more than physiology allows" if apart > _OPPOSITE else "and the shapes of the limbs do not tell"
        )
        return [
            Flag(
                "phases-opposed",
                f"In {which} the asymmetry is opposite to that of {rest}, by a factor of "
                f"{math.exp(apart):.1f}, {unlikely}: its left and right may be exchanged. {_CHECK_SIDES}",
                "serious",
                name,
                apart,
                _OPPOSITE,
            )
        ]
    return []


def _one_or_either(name: ScanPhase, phases: tuple[ScanPhase, ...]) -> tuple[str, str]:
    """Name a phase and the rest; of two phases nothing tells which is the mirrored one."""
    if len(phases) > 2:
        return f"the {name} phase", "the others"
    return f"the {' or the '.join(phases)} phase", "the other"
