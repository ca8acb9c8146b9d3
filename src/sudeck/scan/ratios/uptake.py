"""Uptake of a region: counts, area and mean counts per pixel, from sample points to pixel weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.limb_masks import Limbs

BackgroundRule = Literal["none", "region"]
_BACKGROUND_CLEARANCE_MM = 15.0  # from both limbs: two and a half times the camera's resolution
_MIN_BACKGROUND_PX = 50


@dataclass(frozen=True)
class Background:
    """Counts per pixel outside the limbs, and how surely they are known.

    Attributes
    ----------
    per_pixel : float
        0 under the rule ``"none"``.
    variance : float
        Of `per_pixel`.
    area_px : float
        Pixels it was measured on.
    """

    per_pixel: float = 0.0
    variance: float = 0.0
    area_px: float = 0.0


@dataclass(frozen=True)
class RegionUptake:
    """What one region of one limb holds in one phase.

    Attributes
    ----------
    counts : float
        Weighted counts of its pixels.
    effective_counts : float
        Counts of a plain Poisson number with the same relative error: (Σwx)² / Σw²x.
    area_px : float
        Area in pixels of the image.
    net_per_pixel : float
        Mean counts per pixel, background subtracted under the rule ``"region"``.
    weights : ndarray, shape [row, column]
        Share of each pixel in the region: the number can be opened down to the pixels.
    """

    counts: float
    effective_counts: float
    area_px: float
    net_per_pixel: float
    weights: NDArray[np.float64]


def pixel_weights(
    points: Points, grid: Grid, area_px: float, parts: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Share sample points out to the four pixels around each.

    Parameters
    ----------
    points : ndarray, shape [n, 2]
        In mm.
    grid : Grid
    area_px : float
        Area of the whole region in pixels of `grid`; each point stands for an equal part of it.
    parts : ndarray, shape [n], optional
        For how much more or less each point stands, 1 on average.

    Returns
    -------
    ndarray, shape [row, column]
        Sums to `area_px`, less what lies outside the image.
    """
    height, width = grid.shape
    # The outer half of a pixel at the edge of the field is that pixel, too.
    row, column = (
        np.asarray(np.where((place > -0.5) & (place < size - 0.5), np.clip(place, 0.0, size - 1.0), place))
        for place, size in zip(grid.pixel_of(points), grid.shape, strict=True)
    )
    r0, c0 = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
    fr, fc = row - r0, column - c0
    padded = width + 2
    total = np.zeros((height + 2) * padded)
    inside = (r0 >= -1) & (c0 >= -1) & (r0 <= height - 1) & (c0 <= width - 1)
    index = ((r0 + 1) * padded + c0 + 1)[inside]
    fr, fc = fr[inside], fc[inside]
    shares = (
        (0, (1 - fr) * (1 - fc)),
        (1, (1 - fr) * fc),
        (padded, fr * (1 - fc)),
        (padded + 1, fr * fc),
    )
    for offset, share in shares:
        share = share if parts is None else share * parts[inside]
        total += np.bincount(index + offset, share, minlength=total.size)
    per_point = area_px / max(points.shape[0], 1)
    return np.asarray(total.reshape(height + 2, padded)[1:-1, 1:-1] * per_point)


def measure_uptake(
    image: NDArray[np.float64], weights: NDArray[np.float64], area_px: float, background: Background
) -> RegionUptake:
    """Measure the counts of a region.

    Parameters
    ----------
    image : ndarray, shape [row, column]
        Counts of one limb alone.
    weights : ndarray, shape [row, column]
        From `pixel_weights`.
    area_px : float
        Area of the region; parts that hold no limb count as area without counts.
    background : Background
    """
    counts = float(np.sum(weights * image))
    squares = float(np.sum(weights**2 * image))
    effective = counts**2 / squares if squares > 0 else 0.0
    return RegionUptake(counts, effective, area_px, counts / area_px - background.per_pixel, weights)


def measure_background(image: NDArray[np.float64], limbs: Limbs, grid: Grid, *, subject: str) -> Background:
    """Measure the mean counts per pixel well away from both limbs.

    Raises
    ------
    InputError
        If too little of the image lies away from the limbs.
    """
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(limbs.labels == 0, sampling=grid.spacing_mm)
    away = distance > _BACKGROUND_CLEARANCE_MM
    away[:2, :] = away[-2:, :] = False
    away[:, :2] = away[:, -2:] = False
    area = int(away.sum())
    if area < _MIN_BACKGROUND_PX:
        raise InputError(
            subject,
            f"only {area} pixels lie {_BACKGROUND_CLEARANCE_MM:g} mm away from both limbs, "
            "too few for a background",
            "use --background none",
        )
    counts = float(image[away].sum())
    return Background(counts / area, max(counts, 1.0) / area**2, float(area))
