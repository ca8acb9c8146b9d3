"""Regions over rows of joints, as studies of CRPS drew them, found by where each finger or toe ends.

A row of joints is no straight band across a limb: fingers are unlike in length and are spread. Places on a
hand are taken as shares of the way from the wrist to the end of the finger that lies in their direction; on a
foot as what lies behind the end of the toes there. Which joints belong to a region is that of its source; how
far it reaches around them is Sudeck's own, from the proportions of an adult hand and foot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.record import Record
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.posture_modes import LimbFrame
from sudeck.scan.ratios.bands import hand_length_mm

Array = NDArray[np.float64]

# Hands, as shares of the length from the wrist to the fingertips: where the knuckles lie, and which
# distances show the thumb apart.
_KNUCKLES = 0.49
THUMB = (0.33, 0.60)
_THUMB_ROOT = 0.19
_THUMB_SEEN_RAD = (math.radians(26.0), math.radians(57.0))
# Shares of the way from the wrist to the end of each finger.
HAND_JOINTS: Final[Mapping[str, tuple[float, float]]] = {
    "without-fingers": (-math.inf, 0.60),
    "mcp": (0.45, 0.60),
    "pip": (0.68, 0.79),
    "dip": (0.825, 0.925),
}
_FINGERS_RAD = math.radians(30.0)  # to either side of their middle
_THUMB_BEYOND_RAD = math.radians(23.5)
_THUMB_JOINT = 0.46  # of the length: the thumb goes on from its knuckle there
_FOREARM = -0.18  # as the region of the wrist: so far behind it
_FINGER_ENDS = 0.72  # of the length, at least: the little finger
_FINGER_RAD = math.radians(3.0)  # over which a gap between fingers is bridged
_STEP_RAD = math.radians(1.0)
# Metatarsal heads behind the end of the first toe, as shares of the sole or, from the front, in mm; they fall
# back less than the toes do by the second share.
_SOLE_HEADS, _SOLE_LESS = 0.228, 0.43
_FRONT_HEADS_MM, _FRONT_LESS = 50.5, 0.55
_HEADS_HALF = 0.05
_FRONT_HEADS_HALF_MM = 11.0
_TOE_MM = 8.0
_TOE_STEP_MM = 3.0
_OF_TIP = 98.0  # percentile of what lies in one direction: its end


@dataclass(frozen=True)
class RegionSource(Record):
    """Where a region was published.

    Attributes
    ----------
    title : str
        What it is called in a sentence.
    citation, doi : str
    """

    title: str
    citation: str
    doi: str


_WUPPENHORST: Final = ("Wüppenhorst et al., Clin J Pain 2010;26:182-189", "10.1097/AJP.0b013e3181c20207")
_PARK: Final = ("Park et al., Nucl Med Commun 2007;28:766-770", "10.1097/MNM.0b013e32828e513f")
REGION_SOURCES: Final[Mapping[str, RegionSource]] = {
    "mcp": RegionSource("metacarpophalangeal joints", *_WUPPENHORST),
    "pip": RegionSource("proximal interphalangeal joints", *_WUPPENHORST),
    "dip": RegionSource("distal interphalangeal joints", *_WUPPENHORST),
    "without-fingers": RegionSource("hand without fingers", *_PARK),
}
_TITLES: Final = {name: source.title for name, source in REGION_SOURCES.items()} | {
    "mtp": "metatarsophalangeal joints"
}


def region_title(name: str) -> str:
    """Return what a region is called in a sentence: its own name, unless that is an abbreviation."""
    return _TITLES.get(name, name)


def hand_frame(mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis) -> tuple[LimbFrame, float]:
    """Return the polar coordinates of a hand about its wrist, and its length in mm.

    Parameters
    ----------
    mask : ndarray of bool, shape [row, column]
    grid : Grid
    axis : LimbAxis
    """
    length = hand_length_mm(mask, grid, axis)
    centre = axis.tip_mm + length * axis.towards_body
    frame = LimbFrame(centre, -axis.towards_body, _KNUCKLES * length, _THUMB_ROOT * length, 0)
    distance, angle = frame.polar(grid.centres()[mask])
    at_thumb = (distance > THUMB[0] * length) & (distance < THUMB[1] * length)
    low, high = _THUMB_SEEN_RAD
    sides = [int((at_thumb & (side * angle > low) & (side * angle < high)).sum()) for side in (1, -1)]
    return replace(frame, thumb=1 if sides[0] > sides[1] else -1), length


def hand_joints(
    name: str, points: Points, mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis
) -> NDArray[np.bool_]:
    """Tell which places of a hand belong to a row of joints, or to the hand without its fingers.

    The thumb, which has no joints of these rows, belongs to none but its root to the hand.

    Parameters
    ----------
    name : {"mcp", "pip", "dip", "without-fingers"}
    points : ndarray, shape [n, 2]
        Places of the affected hand on the reference image, in mm.
    mask, grid, axis
        The affected hand on that image.
    """
    frame, length = hand_frame(mask, grid, axis)
    distance, angle = frame.polar(grid.centres()[mask])
    ahead = (distance > 0.8 * length) & (np.abs(angle) < 2 * _FINGERS_RAD)
    middle = float(angle[ahead].mean()) if ahead.any() else 0.0
    fingers = np.abs(angle - middle) < _FINGERS_RAD
    tip = _ends(angle[fingers], distance[fingers], _STEP_RAD, _FINGER_RAD, least=_FINGER_ENDS * length)
    distance, angle = frame.polar(points)
    beside_thumb = frame.thumb * (angle - middle) > _THUMB_BEYOND_RAD
    low, high = HAND_JOINTS[name]
    share = distance / tip(np.clip(angle, middle - _FINGERS_RAD, middle + _FINGERS_RAD))
    if name != "without-fingers":
        return (share >= low) & (share < high) & ~beside_thumb & (np.abs(angle - middle) < _FINGERS_RAD)
    behind = length - axis.from_tip_mm(points)  # from the wrist towards the tips
    ahead = np.where(beside_thumb, distance < _THUMB_JOINT * length, share < high)
    return (behind > _FOREARM * length) & (ahead | (behind < 0))


def foot_joints(
    points: Points, mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis, *, sole: bool
) -> NDArray[np.bool_]:
    """Tell which places of a foot belong to the row of the metatarsophalangeal joints.

    Parameters
    ----------
    points : ndarray, shape [n, 2]
        Places of the affected foot on the reference image, in mm.
    mask, grid, axis
        The affected foot on that image.
    sole : bool
        Whether the image shows the whole sole: lengths are counted in shares of it then.
    """
    limb = grid.centres()[mask]
    behind, across = axis.from_tip_mm(limb), axis.across_mm(limb)
    heads, less, half = _FRONT_HEADS_MM, _FRONT_LESS, _FRONT_HEADS_HALF_MM
    if sole:
        heads, less, half = _SOLE_HEADS * axis.visible_mm, _SOLE_LESS, _HEADS_HALF * axis.visible_mm
    ahead = behind < heads + 2 * half
    end = _ends(across[ahead], -behind[ahead], _TOE_STEP_MM, _TOE_MM)
    across = np.clip(axis.across_mm(points), across[ahead].min(), across[ahead].max())
    from_first = np.maximum(-end(across), 0.0)
    at = from_first + np.maximum(heads - less * from_first, 0.4 * heads)
    return np.asarray(np.abs(axis.from_tip_mm(points) - at) < half)


def _ends(
    place: Array, reach: Array, step: float, bridged: float, *, least: float = -math.inf
) -> Callable[[Array], Array]:
    """Return how far a limb reaches in every direction, gaps between its digits bridged.

    Beside the outermost digits, which reach at least that far, theirs is taken.
    """
    from scipy import ndimage

    edges = np.arange(place.min() - step, place.max() + 2 * step, step)
    bins = np.digitize(place, edges)
    found = np.array(
        [
            np.percentile(reach[bins == n], _OF_TIP) if (bins == n).any() else -np.inf
            for n in range(1, edges.size)
        ]
    )
    size = 2 * round(bridged / step) + 1
    found = ndimage.grey_closing(np.pad(found, size, mode="edge"), size=(size,))[size:-size]
    middle = (edges[:-1] + edges[1:]) / 2
    outer = np.flatnonzero(found >= least)
    if outer.size:
        first = outer[0] + int(found[outer[0] : outer[0] + size].argmax())
        last = outer[-1] - int(found[max(outer[-1] - size, 0) : outer[-1] + 1][::-1].argmax())
        found[:first], found[last + 1 :] = found[first], found[last]
    kept = np.isfinite(found)
    return lambda at: np.interp(at, middle[kept], found[kept])
