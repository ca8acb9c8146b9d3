"""Where fingers or toes point in an image, and which side of the patient that puts at image-left.

Seen from the palm or the sole, two hands or feet side by side with their digits up show the patient's right
at image-left, as two raised hands do to the person they are shown to; with the digits down it is the left,
for the same picture turned round has its sides exchanged. From the dorsum it is the other way.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import Side, opposite
from sudeck.scan.reading.sides import View

Direction = Literal["up", "down"]

_BORDER = 0.03  # of the rows, at either end
_CUT = 0.25  # of a typical row of the limbs, in a border that cuts them
_FREE = 0.05  # the same in a border that does not


def digits_direction(image: NDArray[np.float64]) -> Direction | None:
    """Tell where fingers or toes point: away from the border that cuts the forearms or legs.

    Parameters
    ----------
    image : NDArray [row, column]
        Counts of both limbs.

    Returns
    -------
    "up", "down" or None
        None where neither border, or both, cut the limbs.
    """
    rows = image.sum(axis=1)
    depth = max(1, round(_BORDER * rows.size))
    typical = float(np.median(rows[rows > 0.1 * rows.max()])) if rows.max() > 0 else 0.0
    if typical == 0.0:
        return None
    top, bottom = rows[:depth].mean() / typical, rows[-depth:].mean() / typical
    if top > _CUT and bottom < _FREE:
        return "down"
    if bottom > _CUT and top < _FREE:
        return "up"
    return None


def left_of_limb_view(view: View, digits: Direction | None) -> Side | None:
    """Return the side of the patient at image-left in a palmar, plantar or dorsal view.

    Examples
    --------
    >>> left_of_limb_view("palmar", "up"), left_of_limb_view("plantar", "down")
    ('right', 'left')
    """
    if digits is None or view not in ("palmar", "plantar", "dorsal"):
        return None
    from_inside: Side = "right" if digits == "up" else "left"
    return opposite(from_inside) if view == "dorsal" else from_inside
