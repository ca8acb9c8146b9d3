"""The gamma camera: blur, scatter, background and chance, from an activity map to counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# FWHM of a Gaussian is this many standard deviations.
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
SCATTER_FWHM_MM = 70.0  # photons scattered in the limb and still in the energy window arrive spread this far


@dataclass(frozen=True)
class Raster:
    """A square field of pixels, and the finer, wider grid on which activity is drawn for it.

    Attributes
    ----------
    size : int
        Pixels along one side.
    spacing_mm : float
        Pixel size.
    supersampling : int
        Fine samples along one side of a pixel.
    margin : int
        Pixels drawn beyond the field on each side, because activity out there blurs into it.
    """

    size: int
    spacing_mm: float
    supersampling: int
    margin: int

    @classmethod
    def for_field(cls, size: int, spacing_mm: float) -> Raster:
        """Choose fine samples of about 1.4 mm or less and a margin of about 25 mm."""
        return cls(size, spacing_mm, max(1, math.ceil(spacing_mm / 1.4)), math.ceil(25.0 / spacing_mm))

    @property
    def axis_mm(self) -> Array:
        """Positions of the fine samples along one axis, in mm from the centre of the field."""
        number = (self.size + 2 * self.margin) * self.supersampling
        return (np.arange(number) - (number - 1) / 2) * self.spacing_mm / self.supersampling

    def to_pixels(self, fine: Array) -> Array:
        """Return the mean of `fine` ``[y, x]`` over each pixel of the field ``[row, column]``."""
        k = self.supersampling
        field = slice(k * self.margin, k * (self.margin + self.size))
        inside = fine[field, field]
        strides = [inside[i::k, j::k] for i in range(k) for j in range(k)]
        return np.asarray(sum(strides[1:], start=strides[0]) / k**2)


def image(activity: Array, raster: Raster, *, fwhm_mm: float, scatter_fraction: float) -> Array:
    """Return what the camera would see of `activity` without noise, as a mean density a pixel.

    The point-spread function is a Gaussian of `fwhm_mm` holding ``1 - scatter_fraction`` of the counts plus
    a Gaussian of `SCATTER_FWHM_MM` holding the rest, applied in Fourier space. Both integrate to 1.

    Parameters
    ----------
    activity : array[y, x]
        Emission per unit area on the fine grid of `raster`.
    """
    from scipy import fft

    shape = activity.shape
    padded = tuple(fft.next_fast_len(n + n // 4, real=True) for n in shape)
    fine_mm = raster.spacing_mm / raster.supersampling
    response = _transfer(padded, fine_mm, fwhm_mm, scatter_fraction)
    blurred = fft.irfft2(fft.rfft2(activity, padded) * response, padded)[: shape[0], : shape[1]]
    return raster.to_pixels(np.maximum(blurred, 0.0))


@lru_cache(maxsize=8)
def _transfer(shape: tuple[int, ...], step_mm: float, fwhm_mm: float, scatter_fraction: float) -> Array:
    """Return the modulation transfer function on the frequencies of a real Fourier transform."""
    fy = np.fft.fftfreq(shape[0], step_mm)[:, None]
    fx = np.fft.rfftfreq(shape[1], step_mm)[None, :]
    squared = fx**2 + fy**2
    sharp, broad = (
        np.exp(-2.0 * (math.pi * width / FWHM_PER_SIGMA) ** 2 * squared)
        for width in (fwhm_mm, SCATTER_FWHM_MM)
    )
    return np.asarray((1 - scatter_fraction) * sharp + scatter_fraction * broad)


def expose(expected: Array, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Return Poisson counts about `expected`, as a camera stores them: unsigned 16 bit, saturating."""
    return np.minimum(rng.poisson(expected), np.iinfo(np.uint16).max).astype(np.uint16)
