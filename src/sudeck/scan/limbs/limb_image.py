"""One limb of an image, cut out for registration, and the smoothing it is compared under."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.limbs.limb_masks import Limbs

Array = NDArray[np.float64]

# Blur of the camera at the limb (about 7 mm FWHM), which does not grow with a larger limb.
_CAMERA_SIGMA_MM = 3.0
_LEAST_BLUR_PX = 0.5  # below which slopes between pixels mean little
_VARIANCE_OFFSET = 0.1  # keeps the square root smooth where there are no counts


@dataclass(frozen=True)
class LimbImage:
    """One limb as registration sees it.

    Attributes
    ----------
    counts : ndarray, shape [row, column]
        Counts of this limb alone: the other limb's side of the image holds the background level, so
        that the other limb is neither matched nor left out (leaving pixels out rewards shrinking).
    grid : Grid
    mask : ndarray of bool, shape [row, column]
        The pixels of the limb.
    background : float
        Counts per pixel outside the limbs, which no difference of uptake scales.
    """

    counts: Array
    grid: Grid
    mask: NDArray[np.bool_]
    background: float

    @classmethod
    def alone(cls, counts: Array, grid: Grid, limbs: Limbs, label: int) -> LimbImage:
        """Return one of the two limbs of an image without the other."""
        own = np.where(limbs.territory == label, counts, limbs.background)
        return cls(own, grid, limbs.mask(label), limbs.background)

    @property
    def centre_mm(self) -> Array:
        """Centroid of the limb's area."""
        rows, columns = np.nonzero(self.mask)
        return self.grid.points_of(rows.mean(), columns.mean())


def matched_blur_px(sigma: float, pixel_mm: float, grow: float) -> float:
    """Width of the smoothing that makes the total blur `grow` times that of a limb of average size."""
    camera = _CAMERA_SIGMA_MM / pixel_mm
    return math.sqrt(max((sigma**2 + camera**2) * grow**2 - camera**2, 0.25 * sigma**2))


def same_blur_px(sigma: float, grid: Grid, other: Grid) -> float:
    """Return in pixels of `other` the smoothing that is `sigma` pixels of `grid`, in mm.

    Pixels blur, too: a square of side a has the variance a²/12. What the coarser one has already is not
    added again.
    """
    if other == grid:
        return sigma
    wanted = (sigma * grid.pixel_mm) ** 2 + (grid.pixel_mm**2 - other.pixel_mm**2) / 12
    return max(math.sqrt(max(wanted, 0.0)) / other.pixel_mm, _LEAST_BLUR_PX)


def smoothed(counts: Array, sigma: float) -> Array:
    """Smooth by a Gaussian of width `sigma` pixels."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(counts, sigma, truncate=3.0, mode="nearest"))


def stabilised(counts: Array) -> Array:
    """Return 2 √counts, which gives Poisson noise the same size at every level (Anscombe 1948)."""
    return np.asarray(2.0 * np.sqrt(np.maximum(counts, 0.0) + _VARIANCE_OFFSET))


def noisiness(predicted: Array) -> Array:
    """Return the variance of noise in stabilised values as a share of the nominal one.

    Empty pixels do not reach it: there the offset under the square root, not the noise, sets the value.
    """
    return np.asarray(1.0 - 4.0 * _VARIANCE_OFFSET / predicted**2)
