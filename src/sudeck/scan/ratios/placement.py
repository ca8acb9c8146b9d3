"""Placement error: how far a ratio moves when its two regions move by as much as they may be wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.matching import PARAMETERS
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.registration import EQUAL_SIZE_SD
from sudeck.scan.ratios.regions import Region

_NOTHING: NDArray[np.float64] = np.zeros(0)

# How far a region on the affected limb may lie from where it is meant, by hand or by rule, in each direction.
REGION_PLACEMENT_SD_MM = 1.0
# A finger moves as a whole: places move alike over 12 mm across it and 45 mm along it; the geometric mean.
_DISPLACED_REACH_MM = 23.0
_NODE_STEP = 0.65  # of the reach
_NO_BUMP = 1e-12  # less is none: processors take long for the products of numbers that are all but zero
# Of a log ratio, of each phase, after any fit: gains are a broken line, images are interpolated.
_FIT_SD = 0.002
# Of places along one direction, after any fit: what neither pose nor posture describes.
_UNMODELLED_MM = 0.2
# After a joint fit: over what places are displaced alike, and how much farther than its residual tells:
# smoothing hides a quarter of the squares of displacements alike over so little. What modes describe is not
# added again: its error is that of the fit.
_BESIDE_FIT_REACH_MM = 10.0
_HIDDEN = 1.15
# Standard deviation of what may be anywhere between two measurements, as a share of their distance: even.
_EVEN = 1.0 / math.sqrt(3.0)
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
    places : ndarray
        The same of causes without a name: what the joint fit of both limbs leaves open, and where single
        places lie. In one order in all phases.
    """

    registration: float
    shared: Mapping[str, float]
    places: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)

    @property
    def total(self) -> float:
        """Standard error of the log ratio from placement alone."""
        return self._total(self.registration**2, self.shared.values(), self.places)

    def against(self, other: Placement) -> float:
        """Return the standard error of the difference to another log ratio; common causes cancel."""
        causes = sorted({*self.shared, *other.shared})
        shared = [self.shared.get(cause, 0.0) - other.shared.get(cause, 0.0) for cause in causes]
        size = max(self.places.size, other.places.size)
        mine, its = (np.pad(one.places, (0, size - one.places.size)) for one in (self, other))
        return self._total(self.registration**2 + other.registration**2, shared, mine - its)

    @staticmethod
    def _total(own: float, shared: Iterable[float], places: NDArray[np.float64]) -> float:
        return float(np.sqrt(own + sum(effect**2 for effect in shared) + float(places @ places)))


@dataclass(frozen=True)
class Displacement:
    """Displacement of single places against their counterparts, as bumps at nodes over the reference image.

    Places move smoothly: their displacements are correlated by exp(-d²/2l²) over the distance d, l being the
    reach. Fingers spread as they were spread in all phases, so that it is common to them.

    Attributes
    ----------
    sd_mm : float
        Of one place along one direction.
    along_x, along_y : ndarray, shape [n, node]
        The bumps at the sample points of a region, as a product of both.
    """

    sd_mm: float
    along_x: NDArray[np.float64]
    along_y: NDArray[np.float64]

    @classmethod
    def over(cls, points: Points, poses: Poses) -> Displacement:
        """Lay nodes over sample points of the reference image, in mm.

        Where limbs were laid over each other without their postures, a finger lies beside its counterpart as
        a whole; a joint fit leaves less, over less.
        """
        hidden, reach = (1.0, _DISPLACED_REACH_MM) if poses.joint is None else (_HIDDEN, _BESIDE_FIT_REACH_MM)
        sd = math.hypot(hidden * poses.displacement_mm, _UNMODELLED_MM)
        bumps = []
        for axis in (0, 1):
            place = points[:, axis]
            nodes = np.arange(place.min() - reach, place.max() + 1.5 * reach, _NODE_STEP * reach)
            bump = np.exp(-(((place[:, None] - nodes) / reach) ** 2))
            bumps.append(np.where(bump < _NO_BUMP, 0.0, bump))
        return cls(sd, *bumps)

    def effects(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the effect of one standard deviation at each node along each direction.

        Parameters
        ----------
        slopes : ndarray, shape [n, 2]
            Change of a sum over the points with the displacement of each, per mm.
        """
        # White noise under bumps exp(-d²/l²) has the wanted correlation and, with this amplitude, variance 1.
        amplitude = self.sd_mm * math.sqrt(2.0 / math.pi) * _NODE_STEP
        return amplitude * np.concatenate(
            [(self.along_x.T @ (slopes[:, axis, None] * self.along_y)).ravel() for axis in (0, 1)]
        )


def thinned(points: NDArray[Any]) -> NDArray[Any]:
    """Return at most `_MOST_POINTS` of the sample points of a region, or of what belongs to them."""
    return points[:: max(1, -(-points.shape[0] // _MOST_POINTS))]


def measure_placement(
    region: Region,
    pose: PhasePose,
    displacement: Displacement,
    *,
    region_sd_mm: float = REGION_PLACEMENT_SD_MM,
) -> Placement:
    """Jitter both regions and return how the log ratio of their means moves.

    The healthy region moves along each principal direction of the registration's covariance, one
    standard deviation either way (a deterministic jitter: the second-order sigma points of a Gaussian);
    the affected region moves by `region_sd_mm` with the healthy one following, as it does when a person
    draws it elsewhere; the outline that a threshold found shrinks by a pixel on both sides; the surroundings
    of a part that was left out go with it; places that only one limb has come in again; where limbs were
    laid over each other as limbs of equal size, each is measured inside its own outline; and single places
    are displaced against their counterparts as much as this study shows.

    Parameters
    ----------
    region : Region
        On the reference image.
    pose : PhasePose
    displacement : Displacement
        Over the `thinned` points of the region.
    region_sd_mm : float
    """
    affected, healthy = (_sampler(image, pose) for image in pose.smooth_limbs)
    on_reference = thinned(region.points)
    points = pose.from_reference(on_reference)
    parts = pose.stretch(on_reference)
    mirror = pose.mirror
    beyond = pose.counterpart(on_reference) - mirror.transform(points)  # what posture adds

    def log_mean(values: NDArray[np.float64], kept: NDArray[np.bool_] | None = None) -> float:
        # Sample points of a larger region stand for more area, so their mean is the mean per area.
        if kept is not None:
            return float(np.log(max(np.average(values[kept], weights=parts[kept]), 1e-9)))
        return float(np.log(max(np.average(values, weights=parts), 1e-9)))

    def log_healthy(transform: Similarity) -> float:
        return log_mean(healthy(transform(points) + beyond))

    def log_ratio_at(shift: NDArray[np.float64], kept: NDArray[np.bool_] | None = None) -> float:
        over = affected(points + shift)
        under = healthy(mirror.transform(points + shift) + beyond)
        return log_mean(over, kept) - log_mean(under, kept)

    shared: dict[str, float] = {}
    covariance = mirror.covariance.copy()
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
    registration = _FIT_SD
    if pose.joint is None:
        values, directions = np.linalg.eigh(covariance)
        steps = [np.sqrt(max(value, 0.0)) * directions[:, number] for number, value in enumerate(values)]
        effects = [
            0.5 * (log_healthy(mirror.perturbed(step)) - log_healthy(mirror.perturbed(-step)))
            for step in steps
            if step.any()
        ]
        registration = math.hypot(_FIT_SD, *effects)

    nowhere = np.zeros(2)
    for axis, name in enumerate(("region x", "region y")):
        shift = np.zeros(2)
        shift[axis] = region_sd_mm
        shared[name] = 0.5 * (log_ratio_at(shift) - log_ratio_at(-shift))
    as_measured = log_ratio_at(nowhere)
    rim = thinned(region.rim)
    if rim.any() and not rim.all():
        shared["outline"] = log_ratio_at(nowhere, ~rim) - as_measured
    if region.beside_left_out is not None:
        beside = thinned(region.beside_left_out)
        if beside.any() and not beside.all():
            shared["edge of what is left out"] = log_ratio_at(nowhere, ~beside) - as_measured
    if mirror.equal_size and region.on_affected is not None and region.on_healthy is not None:
        own, others = thinned(region.on_affected), thinned(region.on_healthy)
        if own.any() and others.any():
            apart = log_mean(affected(points), own) - log_mean(healthy(mirror.transform(points)), others)
            shared["own outlines"] = _EVEN * (apart - as_measured)
    if pose.joint is not None:
        # A limb per area of its own, or per place of both: where tissue is stretched a ratio may mean either.
        over = np.average(affected(points))
        under = np.average(healthy(mirror.transform(points) + beyond), weights=parts**2)
        own_area = math.log(max(float(over), 1e-9) / max(float(under), 1e-9))
        shared["area stretched"] = _EVEN * (own_area - as_measured)
    if region.on_one_limb is not None:
        # Outlines reach a little beyond the skin: as much again of the web of fingers may lie inside both.
        place = thinned(region.everywhere)
        both = (affected(pose.from_reference(place)), healthy(pose.counterpart(place)))
        means = [max(float(np.average(values, weights=pose.stretch(place))), 1e-9) for values in both]
        shared["places on one limb"] = math.log(means[0] / means[1]) - as_measured
    places = _NOTHING
    if displacement.sd_mm > 0 or pose.joint is not None:
        look = Bilinear.at(*pose.grid.pixel_of(mirror.transform(points) + beyond), pose.grid.shape)
        slopes = np.stack([look(slope) for slope in pose.healthy_slopes], axis=1) @ pose.to_healthy.matrix
        slopes *= (parts / max(float(parts @ look(pose.smooth_limbs[1])), 1e-9))[:, None]
        places = displacement.effects(slopes)
        if pose.joint is not None:
            places = np.concatenate([pose.joint.effects(pose.phase, on_reference, slopes), places])
    return Placement(registration, shared, places)


def _sampler(image: NDArray[np.float64], pose: PhasePose) -> Callable[[Points], NDArray[np.float64]]:
    """Return a look-up of an image at points in mm; beyond the field its edge goes on."""

    def sample(points: Points) -> NDArray[np.float64]:
        return Bilinear.at(*pose.grid.pixel_of(points), image.shape)(image)

    return sample
