"""Whether pixels scatter as counts do: Poisson noise, and no ceiling that cut the highest ones off."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag

# Originals of cameras lie between 0.96 and 1.18 even with line sources and bar phantoms, and at 1.5 in a
# flood of 16 million counts; smoothing brings it below 0.4, rescaling by a factor to that factor.
DISPERSION_LIMITS = (0.85, 1.6)
_MIN_BLOCK_COUNTS = 8
_MIN_BLOCKS = 200
_SURE_SE = 5.0
_PLATEAU_PIXELS = 8
_PLATEAU_EXCESS = 3.0


def noise_dispersion(counts: NDArray[Any]) -> tuple[float, float] | None:
    """Return the variance of pixel noise over its mean: 1 for counts, whatever the image shows.

    In a block of two by two pixels a, b / c, d the difference x = a - b - c + d cancels any level and slope.
    For Poisson counts E[x² | a+b+c+d] is the sum itself, so x² over the sum has mean 1 at every level; the
    blocks with the larger half of the slopes are left out, because there the bend of the image shows too.

    Parameters
    ----------
    counts : NDArray [frame, row, column]
        Frames are added, as sums of counts are counts.

    Returns
    -------
    (float, float) or None
        The dispersion and its standard error; None where fewer than 200 blocks hold 8 counts or more.

    Examples
    --------
    >>> counts = np.random.default_rng(1).poisson(20, (1, 64, 64))
    >>> [round(noise_dispersion(np.round(counts * factor))[0], 1) for factor in (1, 2.37)]
    [1.0, 2.3]
    """
    image = counts.sum(axis=0, dtype=np.float64)
    a, b, c, d = image[:-1, :-1], image[:-1, 1:], image[1:, :-1], image[1:, 1:]
    total = a + b + c + d
    enough = total >= _MIN_BLOCK_COUNTS
    total = total[enough]
    if total.size < 2 * _MIN_BLOCKS:
        return None
    bend = (a - b - c + d)[enough] ** 2 / total
    slope = ((a + b - c - d)[enough] ** 2 + (a - b + c - d)[enough] ** 2) / total
    flat = bend[slope <= np.median(slope)]
    # For counts the variance of x² / n is 2 - 2 / n; blocks overlap, which the limit in se bears.
    return float(flat.mean()), sqrt(2.0 / flat.size)


def noise_flags(counts: NDArray[Any], subject: str) -> tuple[Flag, ...]:
    """Flag an image whose noise is not that of counts: smoothed, rescaled or otherwise processed."""
    found = noise_dispersion(counts)
    if found is None:
        return ()
    dispersion, se = found
    low, high = DISPERSION_LIMITS
    if low <= dispersion <= high or abs(dispersion - 1) < _SURE_SE * se:
        return ()
    below = dispersion < low
    what = "smoothed or scaled down" if below else "scaled up or otherwise processed"
    return (
        Flag(
            "noise-not-of-counts",
            f"The variance of the pixel noise is {dispersion:.2f} times its mean, where counts have 1: "
            f"the image was probably {what}, and intervals, which suppose counts, are wrong to that extent.",
            "caution",
            subject,
            dispersion,
            low if below else high,
        ),
    )


def refuse_clipped(values: NDArray[Any], subject: str) -> None:
    """Refuse an image in which too many pixels share the highest value: a ceiling cut them off.

    The histogram of counts falls towards its end; the highest value is not more frequent than those below it.

    Raises
    ------
    InputError
        If it is, by three times and by eight pixels or more.
    """
    top = float(values.max())
    at_top = int(np.count_nonzero(values == top))
    width = min(top, max(3.0, ceil(2 * sqrt(top))))
    below = np.count_nonzero((values < top) & (values >= top - width)) / width
    if at_top >= _PLATEAU_PIXELS + _PLATEAU_EXCESS * below:
        raise InputError(
            subject,
            f"{at_top} pixels share its highest value, {top:.0f}, so higher counts were cut off",
            "export the original images from the camera, not processed copies",
        )
