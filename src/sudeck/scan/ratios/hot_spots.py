"""Spots far hotter than a limb, such as an injection that went beside the vein: found, masked, counted.

A spot is left out of both limbs, on its own side and at its counterpart, and in every phase, so that all
ratios are over one area. What scatter spreads of it over the rest is estimated, taken out, and its error
added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.ratios.ratios import LogRatio, corrected
from sudeck.scan.ratios.regions import Region
from sudeck.scan.ratios.uptake import RegionUptake

# A spot is this many times as hot as the bright parts of the limbs (their 95th percentile). Blood is spread
# smoothly; in bone a joint may be hot.
SPOT_TIMES: Final[Mapping[ScanPhase, float]] = {"vascular": 2.0, "tissue": 2.0, "bone": 4.0}
# Warm places are not masked, because they may be disease, nor trusted, because they may be a little of the
# injection: the interval holds what they add. Limbs without a spot reach 1.24 and 1.10; in bone, where every
# joint is warm, no such limit is known.
WARM_TIMES: Final[Mapping[ScanPhase, float]] = {"vascular": 1.35, "tissue": 1.25}
_SURELY_WARM = 0.01  # of the counts of a region
_NONE_TO_ALL = 1.0 / math.sqrt(3.0)  # error of counts that may be anything from none to all of the spot
_SMOOTHING_MM = 3.5
# From where a spot is that hot to where a camera of 7 to 10 mm resolution shows less than 1 % of a limb.
REACH_MM: Final = 20.0
# Share of its counts that a spot scatters in the limb, how far, and how surely: the spot's own scattered
# light is the only part of it left outside the mask.
SCATTER_SHARE: Final = 0.10
_SCATTER_SIGMA_MM = 30.0
_SCATTER_ERROR = 0.5  # of the share, as a standard deviation
_MOST_SCATTER = 0.03  # of a region's counts; beyond, the phase is refused
_MOST_MASKED = 0.5  # of a region


@dataclass(frozen=True)
class HotSpots:
    """The spots of one image.

    Attributes
    ----------
    core : ndarray of bool, shape [row, column]
        Where it is hotter than `SPOT_TIMES` the bright parts of the limbs.
    excess : ndarray, shape [row, column]
        Counts of the spots, over what lies around them.
    times : float
        Peak over the bright parts of the limbs.
    """

    core: NDArray[np.bool_]
    excess: NDArray[np.float64]
    times: float

    @property
    def counts(self) -> float:
        """Counts of the spots."""
        return float(self.excess.sum())


def find_hot_spots(
    image: NDArray[np.float64], grid: Grid, phase: ScanPhase, *, least: float | None = None
) -> HotSpots | None:
    """Find what is far hotter than the limbs; None where nothing is.

    The bright parts of the limbs are those of the image without its spots, which are found again until
    nothing changes: a spot itself would raise any threshold.

    Parameters
    ----------
    image : ndarray, shape [row, column]
        Counts.
    grid : Grid
    phase : {"vascular", "tissue", "bone"}
    least : float, optional
        How many times as hot as the bright parts of the limbs, if not `SPOT_TIMES`.
    """
    from scipy import ndimage
    from skimage.filters import threshold_li

    sigma = _SMOOTHING_MM / grid.pixel_mm
    smooth = ndimage.gaussian_filter(np.asarray(image, dtype=np.float64), sigma)
    limit = np.inf
    bright = 0.0
    for _ in range(8):
        capped = np.minimum(smooth, limit)
        span = float(np.ptp(capped))
        if span <= 0:
            return None
        body = capped > threshold_li(capped, tolerance=1e-3 * span)
        bright = float(np.percentile(capped[body], 95))
        noise = np.sqrt(bright / max(4 * np.pi * sigma**2, 1.0))
        new = (least or SPOT_TIMES[phase]) * bright + 4.5 * float(noise)
        if new >= limit or new >= smooth.max():
            break
        limit = new
    core = smooth > limit
    if not core.any():
        return None
    within = ndimage.distance_transform_edt(~core, sampling=grid.spacing_mm) <= REACH_MM
    around = _around(smooth, within, grid)
    return HotSpots(
        core, np.where(within, np.maximum(image - around, 0.0), 0.0), float(smooth.max() / bright)
    )


def without_spots(image: NDArray[np.float64], spots: HotSpots, grid: Grid) -> NDArray[np.float64]:
    """Return an image whose spots are filled with what lies around them: to find limbs on, not to measure."""
    from scipy import ndimage

    within = ndimage.distance_transform_edt(~spots.core, sampling=grid.spacing_mm) <= REACH_MM
    smooth = ndimage.gaussian_filter(image, _SMOOTHING_MM / grid.pixel_mm)
    return np.asarray(np.where(within, np.minimum(image, _around(smooth, within, grid)), image))


def _around(smooth: NDArray[np.float64], within: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    """Return the level around masked places, each from the nearest place that is not masked."""
    from scipy import ndimage

    rows, columns = ndimage.distance_transform_edt(
        within, sampling=grid.spacing_mm, return_distances=False, return_indices=True
    )
    return np.asarray(smooth[rows, columns])


def mask_spots(
    region: Region, poses: Poses, spots: Mapping[ScanPhase, HotSpots]
) -> tuple[Region, tuple[Flag, ...], Mapping[ScanPhase, str]]:
    """Leave the spots of every phase out of a region, on both limbs.

    Returns
    -------
    region : Region
        What is left of it.
    flags : tuple of Flag
        A spot for each, with its counts.
    refused : mapping of phase to str
        Phases whose spot takes so much of the region that they are left out instead.
    """
    kept = np.ones(region.points.shape[0], dtype=bool)
    flags: list[Flag] = []
    refused: dict[ScanPhase, str] = {}
    for name, found in spots.items():
        pose = poses.phases.get(name)
        if pose is None:
            continue
        near = _near_spot(region.points, pose, found)
        share = float(near.mean())
        where = "outside the regions"
        if share > _MOST_MASKED:
            refused[name] = str(
                InputError(
                    f"{name} phase",
                    f"a spot {found.times:.0f} times as hot as the limbs, of {found.counts:,.0f} counts, "
                    f"covers {100 * share:.0f} % of the region with its surroundings",
                    "measure a region away from it, or leave the phase out",
                )
            )
            continue
        if share > 0:
            kept &= ~near
            where = f"masked on both sides in every phase, {100 * share:.0f} % of the region"
        flags.append(
            Flag(
                "hot-spot-masked",
                f"A spot {found.times:.0f} times as hot as the limbs, of {found.counts:,.0f} counts, lies in "
                f"the {name} phase ({where}): an injection site or a spill.",
                "caution",
                name,
                found.counts,
                unit="counts",
            )
        )
    if kept.all():
        return region, tuple(flags), refused
    return region.part(kept), tuple(flags), refused


def scattered_into(
    spots: HotSpots, weights: Mapping[str, NDArray[np.float64]], counts: Mapping[str, float], pose: PhasePose
) -> tuple[float, float]:
    """Return by how much the scatter of spots moves the log ratio of a phase, and the error of that.

    Parameters
    ----------
    spots : HotSpots
    weights, counts : mappings
        Of the ``"affected"`` and the ``"healthy"`` region.
    pose : PhasePose

    Raises
    ------
    InputError
        If it is more than can be taken out.
    """
    from scipy import ndimage

    spread = ndimage.gaussian_filter(spots.excess, _SCATTER_SIGMA_MM / pose.grid.pixel_mm, mode="constant")
    shares = {
        side: SCATTER_SHARE * float((spread * weights[side]).sum()) / max(counts[side], 1.0)
        for side in weights
    }
    moved = shares["affected"] - shares["healthy"]
    if abs(moved) > _MOST_SCATTER:
        raise InputError(
            f"{pose.phase} phase",
            f"a spot of {spots.counts:,.0f} counts, {spots.times:.0f} times as hot as the limbs, scatters "
            f"some {100 * abs(moved):.0f} % of their counts into one region",
            "leave the phase out: no mask makes it right",
        )
    return moved, _SCATTER_ERROR * abs(moved)


def find_warm_places(pose: PhasePose) -> HotSpots | None:
    """Find what is hotter than its limb is but may be limb; the excess is signed, so that noise adds nothing.

    Each limb is held against its own bright parts: beside a hot limb, a spot on the other one is not bright.

    Parameters
    ----------
    pose : PhasePose
        Of a phase without hot spots.
    """
    from scipy import ndimage

    if pose.phase not in WARM_TIMES:
        return None
    grid, territory = pose.grid, pose.limbs.territory
    core = np.zeros(grid.shape, dtype=bool)
    times = 0.0
    for label in (1, 2):
        limb = np.where(territory == label, pose.image, pose.limbs.background)
        found = find_hot_spots(limb, grid, pose.phase, least=WARM_TIMES[pose.phase])
        if found is not None:
            core |= found.core
            times = max(times, found.times)
    if not core.any():
        return None
    within = ndimage.distance_transform_edt(~core, sampling=grid.spacing_mm) <= REACH_MM
    smooth = ndimage.gaussian_filter(pose.image, _SMOOTHING_MM / grid.pixel_mm)
    return HotSpots(core, np.where(within, pose.image - _around(smooth, within, grid), 0.0), times)


def with_warm_places(
    ratio: LogRatio,
    warm: HotSpots | None,
    regions: Mapping[str, RegionUptake],
    phase: ScanPhase,
) -> tuple[LogRatio, tuple[Flag, ...]]:
    """Add to the error of a ratio what warm places may have added to it.

    Parameters
    ----------
    ratio : LogRatio
    warm : HotSpots or None
        From `find_warm_places`.
    regions : mapping of str to RegionUptake
        The ``"affected"`` and the ``"healthy"`` region.
    phase : {"vascular", "tissue", "bone"}
    """
    if warm is None:
        return ratio, ()
    shares = {
        side: max(float((warm.excess * region.weights).sum()), 0.0) / max(region.counts, 1.0)
        for side, region in regions.items()
    }
    moved = abs(shares["affected"] - shares["healthy"])
    widened = corrected(ratio, 0.0, cause=f"a warm place, {phase}", se=_NONE_TO_ALL * moved)
    if moved < _SURELY_WARM:
        return widened, ()
    side = max(shares, key=shares.__getitem__)
    flag = Flag(
        "warm-place",
        f"A place {warm.times:.1f} times as bright as its limb in the {phase} phase adds "
        f"{100 * moved:.1f} % to the {side} region: a little of the injection, or uptake of the limb. It is "
        "not masked; the interval holds either. If it is the injection site, draw a region away from it.",
        "caution",
        phase,
        moved,
        _SURELY_WARM,
    )
    return widened, (flag,)


def _near_spot(points: Points, pose: PhasePose, spots: HotSpots) -> NDArray[np.bool_]:
    """Tell which points of the reference lie, on either limb of a phase, within the reach of a spot."""
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(~spots.core, sampling=pose.grid.spacing_mm)
    here = pose.from_reference(points)
    near = np.zeros(points.shape[0], dtype=bool)
    for place in (here, pose.counterpart(points)):
        row, column = pose.grid.pixel_of(place)
        near |= ndimage.map_coordinates(distance, [row, column], order=1, mode="nearest") <= REACH_MM
    return near
