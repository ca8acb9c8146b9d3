"""Named bands of a limb: between two distances from its tip, which are counted along its axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import Limb
from sudeck.scan.limbs.axis import LimbAxis, width_profile
from sudeck.scan.limbs.geometry import Grid

# Bands along the limb, as (from, to) distances from the tip. Hands: fractions of the length from the tip of
# the middle finger to the narrowest place of the wrist. Feet seen from the sole: fractions of the length of
# the foot. Feet seen from the front: millimetres, for the foreshortened foot has no length of its own.
# Defaults of Sudeck, chosen so that each band holds the joints it is named after; not from the literature.
HAND_BANDS: Final[Mapping[str, tuple[float, float]]] = {
    "fingers": (0.0, 0.45),
    "metacarpals": (0.45, 0.84),
    "wrist": (0.84, 1.18),
}
SOLE_BANDS: Final[Mapping[str, tuple[float, float]]] = {
    "forefoot": (0.0, 0.42),
    "midfoot": (0.42, 0.62),
    "ankle": (0.62, 1.0),
}
FRONT_FOOT_BANDS_MM: Final[Mapping[str, tuple[float, float]]] = {
    "forefoot": (0.0, 75.0),
    "midfoot": (75.0, 108.0),
    "ankle": (108.0, 180.0),
}
TYPICAL_HAND_LENGTH_MM: Final = 185.0


def band_mm(
    name: str, limb: Limb, mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis, view: str
) -> tuple[float, float]:
    """Return where a named band begins and ends, in mm from the tip of the limb."""
    if limb == "hand":
        low, high = HAND_BANDS[name]
        length = hand_length_mm(mask, grid, axis)
        return low * length, high * length
    if shows_sole(view, axis):
        low, high = SOLE_BANDS[name]
        return low * axis.visible_mm, high * axis.visible_mm * 1.02
    return FRONT_FOOT_BANDS_MM[name]


def shows_sole(view: str, axis: LimbAxis) -> bool:
    """Tell whether an image of feet shows whole soles, so that lengths can be counted in shares of them."""
    return view == "plantar" or not axis.cut_proximal


def hand_length_mm(mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis) -> float:
    """Return the distance from the fingertips to the wrist: where the limb stops narrowing behind the palm.

    The palm is the widest place 60 to 150 mm from the tip. The wrist is the first place behind it where the
    width has lost nine tenths of what it loses on the way to the narrowest place; the forearm beyond is
    almost even, so that its very narrowest place says little. An adult's typical 185 mm where the limb does
    not narrow.
    """
    distance, width = width_profile(mask, grid, axis)
    smooth = np.convolve(width, np.ones(5) / 5, mode="same")
    palm_window = (distance >= 60.0) & (distance <= 150.0)
    behind = distance < min(250.0, axis.visible_mm - 12.0)
    if not palm_window.any():
        return TYPICAL_HAND_LENGTH_MM
    palm = int(np.flatnonzero(palm_window)[smooth[palm_window].argmax()])
    wrist = (np.arange(distance.size) > palm) & behind & (distance > 130.0)
    if not wrist.any():
        return TYPICAL_HAND_LENGTH_MM
    narrowest = float(smooth[wrist].min())
    limit = narrowest + 0.1 * (float(smooth[palm]) - narrowest)
    if narrowest > 0.9 * smooth[palm]:
        return TYPICAL_HAND_LENGTH_MM
    return float(distance[np.flatnonzero(wrist & (smooth <= limit))[0]])
