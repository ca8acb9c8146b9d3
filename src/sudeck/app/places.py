"""Where in an image the places lie that a finding speaks of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import SCAN_PHASES
from sudeck.scan import PosedScan

Places = list[tuple[float, float]]


def places_of(flag: Flag, posed: PosedScan) -> Places:
    """Return the places of a finding, in pixels of the image of its phase; none where it has no place.

    Parameters
    ----------
    flag : Flag
    posed : PosedScan
        The scan that it speaks of.

    Returns
    -------
    list of (float, float)
        Column and row.
    """
    found = _PLACES.get(flag.code)
    return found(flag, posed) if found is not None and flag.subject in SCAN_PHASES else []


def _hot_spots(flag: Flag, posed: PosedScan) -> Places:
    from scipy import ndimage

    spots = next((one for name, one in posed.spots.items() if name == flag.subject), None)
    if spots is None:
        return []
    labels, count = ndimage.label(spots.core)
    places = []
    for spot in range(1, count + 1):
        excess = np.where(labels == spot, spots.excess, -1.0)
        row, column = np.unravel_index(int(np.argmax(excess)), excess.shape)
        places.append((float(column), float(row)))
    return places


def _cut_tips(flag: Flag, posed: PosedScan) -> Places:
    grid = posed.poses.phases[posed.poses.reference].grid
    cut = [axis for side, axis in posed.axes.items() if axis and axis.cut_distal and side in flag.message]
    places = [grid.pixel_of(axis.tip_mm[None]) for axis in cut]
    return [(round(float(column[0]), 2), round(float(row[0]), 2)) for row, column in places]


def _where_limbs_touch(flag: Flag, posed: PosedScan) -> Places:
    labels = posed.poses.phases[posed.poses.reference].limbs.labels
    rows, columns = np.nonzero(_beside(labels, 1) & _beside(labels, 2))
    return [(float(columns.mean()), float(rows.mean()))] if rows.size else []


def _beside(labels: NDArray[np.uint8], label: int) -> NDArray[np.bool_]:
    from scipy import ndimage

    return np.asarray(ndimage.binary_dilation(labels == label))


_PLACES: Final[Mapping[str, Callable[[Flag, PosedScan], Places]]] = {
    "hot-spot-masked": _hot_spots,
    "limb-cut-by-field": _cut_tips,
    "limbs-touch": _where_limbs_touch,
}
