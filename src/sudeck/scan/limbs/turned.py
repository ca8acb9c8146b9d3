"""An image turned by a quarter: its limbs lie one above the other, not side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError

_BETTER = (
    0.5  # of the tissue that the path between left and right crosses, crossed by that between up and down
)
_LEAST = 0.05  # of the length, crossed between left and right, before the other way is tried at all
_MIN_SHARE = 0.2  # of all counts, on the poorer side of the path across


def refuse_turned(
    smooth: NDArray[np.float64],
    crossed: float,
    across: tuple[NDArray[np.intp], float],
    subject: str,
) -> None:
    """Refuse an image that a path from left to right parts better than one from top to bottom.

    Parameters
    ----------
    smooth : ndarray, shape [row, column]
        Smoothed counts.
    crossed : float
        Share of its length over which the path from top to bottom runs through tissue.
    across : (ndarray, float)
        The row of the path from left to right in each column, and the same share of it.
    subject : str
        How an error names the image.

    Raises
    ------
    InputError
        If the limbs lie one above the other.
    """
    path, share = across
    if crossed < _LEAST or share > _BETTER * crossed:
        return
    above = float(smooth[np.arange(smooth.shape[0])[:, None] < path[None, :]].sum()) / float(smooth.sum())
    if min(above, 1 - above) >= _MIN_SHARE:
        raise InputError(
            subject,
            "one limb lies above the other: the image is turned by 90 degrees",
            "export it as it was acquired, with the limbs side by side",
        )
