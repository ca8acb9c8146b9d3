"""Placement error: how far a ratio moves when its two regions move by as much as they may be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.matching import PARAMETERS
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.limbs.registration import EQUAL_SIZE_SD

# How far a region on the affected limb may lie from where it is meant, by hand or by rule, in each direction.
REGION_PLACEMENT_SD_MM = 1.0
_MOST_POINTS = 4000  # of a region that are jittered


@dataclass(frozen=True)
class Placement:
    """Placement error of a log ratio.

    Attributes
    ----------
    registration : float
        Standard error from the registration of this phase, independent between phases.
    shared : mapping of str to float
        Signed effects of one standard deviation of causes common to all phases: the region's place on
        the affected limb, the outline of a limb where it was found, the size ratio where it was
        assumed, and the counterpart where a person set it.
    """

    registration: float
    shared: Mapping[str, float]

    @property
    def total(self) -> float:
        """Standard error of the log ratio from placement alone."""
        return float(np.sqrt(self.registration**2 + sum(effect**2 for effect in self.shared.values())))


def measure_placement(
    points: Points,
    pose: PhasePose,
    *,
    rim: NDArray[np.bool_] | None = None,
    region_sd_mm: float = REGION_PLACEMENT_SD_MM,
) -> Placement:
    """Jitter both regions and return how the log ratio of their means moves.

    The healthy region moves along each principal direction of the registration's covariance, one
    standard deviation either way (a deterministic jitter: the second-order sigma points of a Gaussian);
    the affected region moves by `region_sd_mm` with the healthy one following, as it does when a person
    draws it elsewhere; and the outline that a threshold found shrinks by a pixel on both sides.

    Parameters
    ----------
    points : ndarray, shape [n, 2]
        Sample points of the region on the affected limb of this phase, in mm.
    pose : PhasePose
    rim : ndarray of bool, shape [n], optional
        The points within a pixel of such an outline.
    region_sd_mm : float
    """
    affected, healthy = (_sampler(image, pose) for image in pose.smooth_limbs)
    every = max(1, -(-points.shape[0] // _MOST_POINTS))
    thinned = points[::every]
    mirror = pose.mirror

    def log_healthy(transform: Similarity) -> float:
        # Sample points of a larger region stand for more area, so their mean is the mean per area.
        return float(np.log(max(healthy(transform(thinned)).mean(), 1e-9)))

    def log_ratio_at(place: Points) -> float:
        return float(
            np.log(max(affected(place).mean(), 1e-9))
            - np.log(max(healthy(mirror.transform(place)).mean(), 1e-9))
        )

    covariance = mirror.covariance.copy()
    shared: dict[str, float] = {}
    if mirror.equal_size:
        unit = np.array([0.0, EQUAL_SIZE_SD, 0.0, 0.0])
        shared["size"] = 0.5 * (log_healthy(mirror.perturbed(-unit)) - log_healthy(mirror.perturbed(unit)))
        covariance[1, :] = covariance[:, 1] = 0.0
    if mirror.set_sd is not None:
        for number, (name, sd) in enumerate(zip(PARAMETERS, mirror.set_sd, strict=True)):
            unit = np.zeros(4)
            unit[number] = sd
            shared[f"counterpart, {name}"] = 0.5 * (
                log_healthy(mirror.perturbed(-unit)) - log_healthy(mirror.perturbed(unit))
            )
        covariance = np.diag(np.maximum(np.diag(covariance) - np.square(mirror.set_sd), 0.0))
    values, directions = np.linalg.eigh(covariance)
    steps = [np.sqrt(max(value, 0.0)) * directions[:, number] for number, value in enumerate(values)]
    effects = [
        0.5 * (log_healthy(mirror.perturbed(step)) - log_healthy(mirror.perturbed(-step)))
        for step in steps
        if step.any()
    ]
    for axis, name in enumerate(("region x", "region y")):
        shift = np.zeros(2)
        shift[axis] = region_sd_mm
        shared[name] = 0.5 * (log_ratio_at(thinned + shift) - log_ratio_at(thinned - shift))
    if rim is not None and rim.any() and not rim.all():
        shared["outline"] = log_ratio_at(thinned[~rim[::every]]) - log_ratio_at(thinned)
    return Placement(float(np.sqrt(np.sum(np.square(effects)))), shared)


def _sampler(image: NDArray[np.float64], pose: PhasePose) -> Callable[[Points], NDArray[np.float64]]:
    """Return a look-up of an image at points in mm; beyond the field its edge goes on."""

    def sample(points: Points) -> NDArray[np.float64]:
        return Bilinear.at(*pose.grid.pixel_of(points), image.shape)(image)

    return sample
