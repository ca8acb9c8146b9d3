"""Whether left and right are exchanged in a phase: by the shapes of the limbs, and by their asymmetries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.mirrored import LimbPair, outlines_apart, shown_twice

# Sudeck's own limit: no range of differences between phases is published. Flow down and bone up in one limb
# (disuse, a late stage) is ordinary and stays below it.
_OPPOSITE = 0.7  # between log ratios of opposite sign
_OPPOSITE_EACH = 0.1  # a log ratio that lies clearly on one side
# Log odds of the sides by the shapes of the limbs: mirrored beyond doubt, and settled as stated. Limbs drawn
# as exact mirror images say nothing, within 5 in 36 studies; limbs as people have them say 7 to 80.
_SURELY_MIRRORED, _SIDES_HOLD = 7.0, 5.0
# How far outlines of one size lie apart from those of every other phase, in mm²: own limbs 1 to 5 where there
# are counts to see them by, up to 14 at 2,000 a limb; a foot in a study of hands 20 and more, air 40; another
# person 4 to 19, so that not all are seen.
_OTHER_PERSON_MM2, _OTHER_PART_MM2 = 9.0, 20.0
_CLEAR_COUNTS, _DIM_COUNTS = 40_000.0, 4_000.0  # in an image
_TWICE = (
    "both limbs have the shape of one side, not of a left and a right: one limb is shown twice, or one of "
    "them turned over"
)
_LIE_ALIKE = "give an image of both limbs, lying alike"
_OTHER_LIMBS = "by their outlines its limbs are not those of the other phases"
_ONE_PART = "give images of one part of one person"
_SETTLE = "check its view, or give it alone with --image-left"
_CHECK_SIDES = f"{_SETTLE[0].upper()}{_SETTLE[1:]}."
_WITHHELD = "It is not measured."


@dataclass(frozen=True)
class Contradictions:
    """Phases that can not show what they are said to show: left out, because their ratio would be wrong.

    Attributes
    ----------
    refused : Mapping of phase to str
        Why, in one sentence.
    flags : tuple of Flag
    """

    refused: Mapping[ScanPhase, str] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def contradictions(
    pairs: Mapping[ScanPhase, LimbPair], sides_hold: Mapping[ScanPhase, float]
) -> Contradictions:
    """Find phases to leave out: one limb shown twice, other limbs, or left and right exchanged.

    Parameters
    ----------
    pairs : Mapping of phase to LimbPair
        From `sudeck.scan.limbs.mirrored.limb_pairs`.
    sides_hold : Mapping of phase to float
        From `sudeck.scan.limbs.mirrored.mirror_evidence`.
    """
    twice = {name: _reason((name,), _TWICE, _LIE_ALIKE) for name, pair in pairs.items() if shown_twice(pair)}
    if twice:
        return Contradictions(twice)
    apart = outlines_apart(pairs)
    name, least = _odd_one(apart)
    counts = min(float(pair.pose.image.sum()) for pair in pairs.values())
    if least > _OTHER_PART_MM2 * max(1.0, _DIM_COUNTS / max(counts, 1.0)):
        odd = (name,) if len(pairs) > 2 else tuple(pairs)
        return Contradictions(dict.fromkeys(odd, _reason(odd, _OTHER_LIMBS, _ONE_PART)))
    if sides_hold and min(sides_hold.values()) <= -_SURELY_MIRRORED:
        return _mirrored(sides_hold)
    if least > _OTHER_PERSON_MM2 and counts >= _CLEAR_COUNTS:
        which, rest = _one_or_either(name, tuple(pairs))
        text = (
            f"By their outlines the limbs of {which} are not those of {rest} ({math.sqrt(least):.0f} mm "
            "beside them): another person, fingers and toes held quite otherwise, or limbs that overlap."
        )
        return Contradictions(
            {}, (Flag("other-limbs", text, "serious", name, least, _OTHER_PERSON_MM2, "mm²"),)
        )
    return Contradictions()


def _mirrored(sides_hold: Mapping[ScanPhase, float]) -> Contradictions:
    name = min(sides_hold, key=sides_hold.__getitem__)
    which, rest = _one_or_either(name, tuple(sides_hold))
    withheld = (name,) if len(sides_hold) > 2 else tuple(sides_hold)
    problem = f"by the shapes of the limbs {which} shows {rest} mirrored: its left and right are exchanged"
    text = f"{problem[0].upper()}{problem[1:]}. {_WITHHELD} {_CHECK_SIDES}"
    flag = Flag("phase-mirrored", text, "serious", name, sides_hold[name], -_SURELY_MIRRORED)
    return Contradictions(dict.fromkeys(withheld, _reason(withheld, problem, _SETTLE)), (flag,))


def _odd_one(apart: Mapping[tuple[ScanPhase, ScanPhase], float]) -> tuple[ScanPhase, float]:
    """Return the phase that lies farthest from all others, and how far it lies from the nearest of them."""
    least: dict[ScanPhase, float] = {}
    for pair, distance in apart.items():
        for name in pair:
            least[name] = min(least.get(name, math.inf), distance)
    name = max(least, key=least.__getitem__, default="bone")
    return name, least.get(name, 0.0)


def _reason(phases: tuple[ScanPhase, ...], problem: str, remedy: str) -> str:
    return str(InputError(f"{phases[0]} phase" if len(phases) == 1 else "scan", problem, remedy))


def opposed_phases(
    log_ratios: Mapping[ScanPhase, float], sides_hold: Mapping[ScanPhase, float] | None = None
) -> Contradictions:
    """Find a phase whose asymmetry is opposite to the others': its left and right may be exchanged.

    One that physiology does not allow is left out; one that it allows is flagged, and only where the shapes
    of the limbs leave the sides open.

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
        beyond = apart > _OPPOSITE
        unlikely = "more than physiology allows" if beyond else "and the shapes of the limbs do not tell"
        problem = (
            f"in {which} the asymmetry is opposite to that of {rest}, by a factor of "
            f"{math.exp(apart):.1f}, {unlikely}: its left and right may be exchanged"
        )
        left_out = f" {_WITHHELD}" if beyond else ""
        text = f"{problem[0].upper()}{problem[1:]}.{left_out} {_CHECK_SIDES}"
        flag = Flag("phases-opposed", text, "serious", name, apart, _OPPOSITE)
        withheld = () if not beyond else (name,) if len(log_ratios) > 2 else tuple(log_ratios)
        return Contradictions({phase: _reason(withheld, problem, _SETTLE) for phase in withheld}, (flag,))
    return Contradictions()


def opposed_delayed(first: float, later: float) -> str:
    """Say why the log ratios of two delayed images contradict each other; empty where they do not.

    Both show the same bone: an asymmetry that changes sides between them is one of an image turned over.
    """
    if first * later >= 0 or min(abs(first), abs(later)) <= _OPPOSITE_EACH:
        return ""
    factor = math.exp(abs(first - later))
    return (
        f"its asymmetry is opposite to that of the bone phase, by a factor of {factor:.1f}: its left "
        "and right may be exchanged"
    )


def _one_or_either(name: ScanPhase, phases: tuple[ScanPhase, ...]) -> tuple[str, str]:
    """Name a phase and the rest; of two phases nothing tells which is the mirrored one."""
    if len(phases) > 2:
        return f"the {name} phase", "the others"
    return f"the {' or the '.join(phases)} phase", "the other"
