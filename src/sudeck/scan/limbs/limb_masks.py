"""Find the two limbs of an image: which pixels belong to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.limbs.separation import separate

# Each limb ends where the smoothed counts fall to this part of its own typical level. A level of the
# limb's own makes the outline independent of how hot the limb is, so that an affected limb does not
# grow; low enough to keep cold toes, which a threshold common to both limbs (Otsu) loses.
EDGE_LEVEL = 0.20
MIN_COUNTS_PER_LIMB = 300.0
_MIN_SHARE = 0.08  # of all limb counts, to accept a part as a limb
_SMOOTHED_COUNTS = 12.0  # expected counts under the smoothing kernel
# Widths of kernels count in pixels of this size, so that a limb is as large on coarse pixels as on fine ones.
USUAL_PIXEL_MM = 2.7
_LEAST_SIGMA_PX = 0.5
_SIGNIFICANCE = 4.0  # standard deviations above the background


@dataclass(frozen=True)
class Limbs:
    """The two limbs of one image.

    Attributes
    ----------
    labels : ndarray of uint8, shape [row, column]
        0 outside, 1 the limb at image-left, 2 the limb at image-right.
    territory : ndarray of uint8, shape [row, column]
        1 or 2 everywhere: on which side of the separating line a pixel lies.
    background : float
        Counts per pixel outside the limbs.
    bridge : float
        Share of the separating line that runs through limb tissue: 0 when the limbs stand apart.
    """

    labels: NDArray[np.uint8]
    territory: NDArray[np.uint8]
    background: float
    bridge: float

    def mask(self, label: int) -> NDArray[np.bool_]:
        """Return the pixels of one limb."""
        return np.asarray(self.labels == label)

    def centre(self, label: int) -> tuple[float, float]:
        """Return the (row, column) centroid of one limb's area."""
        rows, columns = np.nonzero(self.labels == label)
        return float(rows.mean()), float(columns.mean())


def find_limbs(
    image: NDArray[np.float64], *, subject: str = "image", pixel_mm: float = USUAL_PIXEL_MM
) -> Limbs:
    """Find the two limbs in a planar image of counts.

    The image is smoothed until a dozen counts stand under the kernel; Li's minimum-cross-entropy
    threshold [1]_ and the significance over the background give a first outline; `separate` tells the
    limbs apart, touching or not; each limb is then outlined at `EDGE_LEVEL` of its own level.

    Parameters
    ----------
    image : ndarray, shape [row, column]
        Counts, both limbs side by side.
    subject : str
        How an error names the image.
    pixel_mm : float
        Side of a pixel, where it is known.

    Returns
    -------
    Limbs

    Raises
    ------
    InputError
        If there are too few counts, or no two limbs side by side.

    References
    ----------
    .. [1] Li CH, Lee CK. Minimum cross entropy thresholding. Pattern Recognition 1993;26:617-625.
    """
    from scipy import ndimage
    from skimage.filters import threshold_li

    image = np.asarray(image, dtype=np.float64)
    if image.sum() < 2 * MIN_COUNTS_PER_LIMB:
        raise InputError(
            subject,
            f"it holds only {image.sum():.0f} counts, too few to find two limbs",
            "use an acquisition with more counts",
        )
    finer = USUAL_PIXEL_MM / pixel_mm
    smooth = _smoothed(image, finer)
    level = float(threshold_li(smooth, tolerance=1e-3 * (float(np.ptp(smooth)) or 1.0)))
    body = smooth > level
    background = _background(image, body, finer)
    territory, bridge = separate(smooth, body, subject)

    noise = np.sqrt(max(background, 1e-9) * _noise_share(image, smooth))
    floor = background + _SIGNIFICANCE * noise
    labels = np.zeros(image.shape, dtype=np.uint8)
    for label in (1, 2):
        inside = body & (territory == label)
        if inside.sum() < 20 or image[inside].sum() < MIN_COUNTS_PER_LIMB:
            raise InputError(
                subject,
                "two limbs side by side cannot be found",
                "both limbs must lie in one image; leave out images of a single limb",
            )
        typical = float(np.median(smooth[inside])) - background
        outline = (smooth > max(background + EDGE_LEVEL * typical, floor)) & (territory == label)
        parts, count = ndimage.label(outline, structure=np.ones((3, 3)))
        mass = ndimage.sum_labels(image, parts, np.arange(1, count + 1))
        kept = 1 + np.flatnonzero(mass >= _part_floor(mass))
        labels[np.isin(parts, kept)] = label
    shares = [image[labels == label].sum() for label in (1, 2)]
    if min(shares) < _MIN_SHARE * sum(shares):
        raise InputError(
            subject,
            f"one side holds only {100 * min(shares) / sum(shares):.0f} % of the counts, "
            "so two limbs cannot be found",
            "both limbs must lie in one image; leave out images of a single limb",
        )
    for label in (1, 2):
        filled = ndimage.binary_fill_holes(labels == label)
        labels[filled & (territory == label)] = label
    return Limbs(labels, territory, background, bridge)


def _smoothed(image: NDArray[np.float64], finer: float) -> NDArray[np.float64]:
    """Smooth until about a dozen counts stand under the kernel in the limbs."""
    from scipy import ndimage

    rough = ndimage.gaussian_filter(image, 3.0 * finer)
    typical = float(np.median(rough[rough > 0.25 * rough.max()]))
    needed = np.sqrt(_SMOOTHED_COUNTS / (4 * np.pi * max(typical, 1e-6)))
    sigma = max(float(np.clip(needed, 1.2 * finer, 3.0 * finer)), _LEAST_SIGMA_PX)
    return ndimage.gaussian_filter(image, sigma)


def _noise_share(image: NDArray[np.float64], smooth: NDArray[np.float64]) -> float:
    """Variance left by the smoothing, as a share: the ratio of fine-scale energies."""
    before = float(np.var(np.diff(image, axis=1)))
    after = float(np.var(np.diff(smooth, axis=1)))
    return min(1.0, after / before) if before > 0 else 1.0


def _background(image: NDArray[np.float64], body: NDArray[np.bool_], finer: float) -> float:
    """Mean counts per pixel well outside the limbs; 0 when nothing lies outside."""
    from scipy import ndimage

    outside = ~ndimage.binary_dilation(body, iterations=max(1, round(6 * finer)))
    outside[:2, :] = outside[-2:, :] = False
    outside[:, :2] = outside[:, -2:] = False
    return float(image[outside].mean()) if outside.sum() >= 50 else 0.0


def _part_floor(mass: NDArray[np.float64]) -> float:
    """Return the counts below which a separate part of a limb's outline is taken for noise."""
    return max(30.0, 0.01 * float(mass.sum()))
