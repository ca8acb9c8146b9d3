"""Whether fingers of one hand lie over each other: seen from above two are one, and no fit can part them.

Where two fingers cross, the counts of a hand spread over less of an arc about the wrist than those of the
other hand, by a part of a finger's width, and stand the higher there, in all phases together and whatever the
uptake. A finger that is bent or missing makes a hand narrow, but not brighter; fingers held closely make it
neither. And what crosses leaves places without a counterpart on both hands, which a hot finger does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.geometry import Points
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.limb_image import smoothed
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.posture_modes import LimbFrame
from sudeck.scan.ratios.counterparts import raster
from sudeck.scan.ratios.joint_regions import hand_frame
from sudeck.scan.ratios.regions import SAMPLES_PER_PIXEL, Region

Array = NDArray[np.float64]

# Arcs about the wrist, as shares of the length to the fingertips: from the knuckles to the ends of fingers.
_ARCS = np.arange(0.6, 0.86, 0.025)
_TOGETHER = 5  # neighbouring arcs: two joints of a finger
_FINGERS_RAD = np.radians(np.arange(-32.0, 32.0))
_AHEAD = 0.8  # the middle of the fingers is that of what lies farther out
_SMOOTHING_MM = 3.0
# Logarithms of width and of brightest place of one hand over those of the other, and their sum.
_NARROWER, _DENSER, _BOTH = 0.12, 0.10, 0.28
# Counts in the reference image: with fewer than the first, noise makes some hands look crossed whose fingers
# are spread or bent, so that it is a caution; with fewer than the last nothing is said.
_SURE_COUNTS, _LEAST_COUNTS = 10_000.0, 4_000.0
# Places of the fingers where all phases are brighter on one hand than on the other, and the other way round.
_ZONE = 0.45
_ZONE_RAD = math.radians(50.0)
_BRIGHTER = 0.3
_LEAST_LEVEL = 0.15  # of the typical level
_LEAST_MM2 = 80.0


@dataclass(frozen=True)
class FingerWidths:
    """What crossed fingers are told by.

    Attributes
    ----------
    narrower : float
        Logarithm of the width over which counts spread on the fingers of the affected hand over that of the
        healthy one, where they differ most.
    denser : float
        Logarithm of the brightest place over the mean there, affected over healthy.
    apart_mm2 : float
        Largest area that is brighter on one hand in all phases, of whichever hand has less of it.
    """

    narrower: float
    denser: float
    apart_mm2: float

    @property
    def crossed(self) -> bool:
        """Whether fingers of one hand cross."""
        narrower, denser = abs(self.narrower), -math.copysign(1.0, self.narrower) * self.denser
        enough = narrower > _NARROWER and denser > _DENSER and narrower + denser > _BOTH
        return enough and self.apart_mm2 > _LEAST_MM2


def finger_widths(poses: Poses, axis: LimbAxis, whole: Region) -> FingerWidths:
    """Compare the fingers of both hands.

    Parameters
    ----------
    poses : Poses
    axis : LimbAxis
        Of the affected hand on the reference image.
    whole : Region
        The whole affected hand, as far as both hands show it.
    """
    reference = poses.phases[poses.reference]
    mask = reference.limbs.mask(reference.affected_label)
    frame, length = hand_frame(mask, reference.grid, axis)
    widths, peaks = (
        np.convolve(found, np.full(_TOGETHER, 1.0 / _TOGETHER), mode="valid")
        for found in _along_arcs(poses, frame, length, mask)
    )
    at = np.abs(widths).argmax()
    return FingerWidths(float(widths[at]), float(peaks[at]), _apart_mm2(poses, frame, length, whole))


def _along_arcs(
    poses: Poses, frame: LimbFrame, length: float, mask: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return by how much wider counts spread on the affected than on the healthy hand, and how much higher.

    Logarithms on each arc, means of all phases. A width is the square of the sum of counts over the sum of
    their squares, a height the largest over the mean of all arcs: they do not depend on how bright a hand is.
    Both hands are read on the same arcs, posture left out.
    """
    grid = poses.phases[poses.reference].grid
    distance, angle = frame.polar(grid.centres()[mask])
    ahead = distance > _AHEAD * length
    angles = float(angle[ahead].mean() if ahead.any() else 0.0) + _FINGERS_RAD
    normal = np.array([-frame.distal[1], frame.distal[0]])
    outwards = np.cos(angles)[:, None] * frame.distal + np.sin(angles)[:, None] * normal
    points = (frame.centre_mm + (_ARCS * length)[:, None, None] * outwards).reshape(-1, 2)
    wider, higher = [], []
    for pose in poses.phases.values():
        widths, heights = [], []
        for side, place in (("affected", pose.from_reference(points)), ("healthy", pose.to_healthy(points))):
            seen = np.maximum(_look(pose, side, place), 0.0).reshape(_ARCS.size, -1)
            squares = np.maximum(np.sum(seen**2, axis=1), 1e-9)
            widths.append(np.maximum(np.sum(seen, axis=1) ** 2 / squares, 1.0))
            heights.append(np.maximum(seen.max(axis=1), 1e-9) / max(float(seen.mean()), 1e-9))
        wider.append(np.log(widths[0] / widths[1]))
        higher.append(np.log(heights[0] / heights[1]))
    return np.mean(wider, axis=0), np.mean(higher, axis=0)


def _look(pose: PhasePose, side: str, place: Points) -> Array:
    """Return what a smoothed hand holds above its background at places of an image."""
    limb = pose.affected() if side == "affected" else pose.healthy()
    image = smoothed(limb.counts, _SMOOTHING_MM / pose.grid.pixel_mm) - limb.background
    return Bilinear.at(*pose.grid.pixel_of(place), image.shape)(image)


def _apart_mm2(poses: Poses, frame: LimbFrame, length: float, whole: Region) -> float:
    """Return the largest area of fingers brighter in all phases, of the hand that has less of it."""
    from scipy import ndimage

    distance, angle = frame.polar(whole.points)
    points = whole.points[(distance > _ZONE * length) & (np.abs(angle) < _ZONE_RAD)]
    if not points.size:
        return 0.0
    brighter = []
    for pose in poses.phases.values():
        levels = []
        for side, place in (("affected", pose.from_reference(points)), ("healthy", pose.counterpart(points))):
            values = _look(pose, side, place)
            levels.append(np.maximum(values / max(float(np.median(values)), 1e-9), _LEAST_LEVEL))
        field = np.log(levels[0] / levels[1])
        brighter.append(field - np.median(field))
    grid = poses.phases[poses.reference].grid
    to_image, _ = raster(points, grid)
    step = grid.pixel_mm / SAMPLES_PER_PIXEL
    sizes = []
    for places in (np.min(brighter, axis=0) > _BRIGHTER, np.max(brighter, axis=0) < -_BRIGHTER):
        parts, count = ndimage.label(to_image(places))
        most = np.bincount(parts.ravel())[1:].max() if count else 0
        sizes.append(float(most) * step**2)
    return min(sizes)


def crossed_flags(widths: FingerWidths, poses: Poses) -> tuple[Flag, ...]:
    """Say that fingers of one hand cross."""
    counts = poses.phases[poses.reference].image.sum()
    if not widths.crossed or counts < _LEAST_COUNTS:
        return ()
    side = "affected" if widths.narrower < 0 else "healthy"
    sure = counts >= _SURE_COUNTS
    return (
        Flag(
            "fingers-crossed",
            f"Fingers of the {side} hand seem to lie over each other: there it is "
            f"{100 * -math.expm1(-abs(widths.narrower)):.0f} % narrower than the other hand, and parts of "
            "both have no counterpart. What two fingers hold stands on the area of one; take the image again "
            "with the fingers apart." + ("" if sure else " With so few counts noise may look like that."),
            "serious" if sure else "caution",
            poses.reference,
            abs(widths.narrower),
            _NARROWER,
        ),
    )
