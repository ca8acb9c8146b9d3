"""What a region must be to be measured: in the field, on its limb and off the other, with counts in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.ratios.counterparts import leave_out
from sudeck.scan.ratios.ratios import LogRatio, corrected
from sudeck.scan.ratios.regions import Region
from sudeck.scan.ratios.uptake import RegionUptake

_OVERLAP = 0.03  # of a region, on the other limb
MOST_CROPPED = 0.06  # of a region that may be left out because it lies on the other limb
_RIM = 0.01
# Where limbs overlap, as much as lies on the other limb may still hold counts of both: anything from none to
# all of it.
_STILL_SHARED = 1.0 / math.sqrt(12.0)
_LEAST_ON_LIMB = 0.8  # of a drawn region, on the mask of the affected limb
_OUTSIDE = 0.02  # of a drawn region, beyond the field
_STRAYED = 0.05  # of a drawn region, on the other half of the image
_LEAST_COUNTS = 20.0  # in each region, below which a ratio says nothing


def refuse_overlap(pose: PhasePose, affected: Points, healthy: Points) -> None:
    """Refuse a region that reaches into the other limb: where limbs overlap, counts belong to both.

    Raises
    ------
    InputError
        If more than `_OVERLAP` of either region lies on the other limb.
    """
    for side, on_other in zip(("affected", "healthy"), on_other_limb(pose, affected, healthy), strict=True):
        share = float(on_other.mean()) if on_other.size else 0.0
        if share > _OVERLAP:
            raise _overlapping(pose.phase, side, share)


def _overlapping(phase: ScanPhase, side: str, share: float) -> InputError:
    return InputError(
        f"{phase} phase",
        f"{100 * share:.0f} % of the {side} region lies on the other limb: the limbs overlap, one of "
        "them is not in the image, or they differ in shape",
        "give an image of both limbs apart; of a limb a file, give both files",
    )


def on_other_limb(
    pose: PhasePose, affected: Points, healthy: Points
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which places of the affected and of the healthy region lie on the other limb of a phase.

    Parameters
    ----------
    pose : PhasePose
    affected, healthy : ndarray, shape [n, 2]
        On the image of the phase, in mm.
    """
    found = []
    for label, points in ((pose.affected_label, affected), (pose.healthy_label, healthy)):
        row, column = (np.rint(place).astype(int) for place in pose.grid.pixel_of(points))
        height, width = pose.grid.shape
        inside = (row >= 0) & (column >= 0) & (row < height) & (column < width)
        other = np.zeros(points.shape[0], dtype=bool)
        other[inside] = pose.limbs.labels[row[inside], column[inside]] == 3 - label
        found.append(other)
    return found[0], found[1]


def off_the_other_limb(region: Region, poses: Poses) -> tuple[Region, tuple[Flag, ...]]:
    """Crop a found region, on both limbs and in every phase, to what lies on its own limb in each of them.

    A phase in which more than `MOST_CROPPED` would have to go is left to be refused.

    Parameters
    ----------
    region : Region
        On the reference image.
    poses : Poses

    Returns
    -------
    region : Region
    flags : tuple of Flag
        How much was left out, where it is more than a rim.
    """
    if poses.phases[poses.reference].mirror.equal_size:  # by outlines, which overlapping limbs have not
        return region, ()
    kept = np.ones(region.points.shape[0], dtype=bool)
    touching = []
    for name, pose in poses.phases.items():
        on_other = np.logical_or(
            *on_other_limb(pose, pose.from_reference(region.points), pose.counterpart(region.points))
        )
        if 0 < float(on_other.mean()) <= MOST_CROPPED:
            kept &= ~on_other
            touching.append(name)
    share = 1.0 - float(kept.mean())
    if share == 0:
        return region, ()
    flag = Flag(
        "region-cropped",
        f"{100 * share:.1f} % of the region would lie on the other limb, where the limbs touch "
        f"({', '.join(touching)} phase); it is left out on both sides in every phase.",
        "caution" if share > _RIM else "info",
        "scan",
        share,
    )
    left_out = leave_out(region, ~kept, poses.phases[poses.reference].grid)
    return replace(left_out, touching_mm2=region.area_mm2 - left_out.area_mm2), (flag,)


def with_touching(ratio: LogRatio, region: Region, phase: ScanPhase) -> LogRatio:
    """Add the error of what the limbs share where they touch, beyond what was left out.

    Parameters
    ----------
    ratio : LogRatio
        Of one phase.
    region : Region
    phase : {"vascular", "tissue", "bone"}
    """
    if region.touching_share == 0:
        return ratio
    error = _STILL_SHARED * region.touching_share
    return corrected(ratio, 0.0, cause=f"limbs that touch, {phase}", se=error)


def overlapping_reference(region: Region, poses: Poses) -> dict[ScanPhase, str]:
    """Return the reference phase with the reason if its limbs overlap too much to find others by it.

    Parameters
    ----------
    region : Region
        What both limbs show of the whole limb.
    poses : Poses
    """
    pose = poses.phases[poses.reference]
    places = on_other_limb(pose, pose.from_reference(region.points), pose.counterpart(region.points))
    for side, on_other in zip(("affected", "healthy"), places, strict=True):
        if float(on_other.mean()) > MOST_CROPPED:
            return {pose.phase: str(_overlapping(pose.phase, side, float(on_other.mean())))}
    return {}


def refuse_region_on_air(pose: PhasePose, region: Region) -> None:
    """Refuse a drawn region that lies largely off the affected limb: background has no homologous place.

    Raises
    ------
    InputError
        If less than `_LEAST_ON_LIMB` of it lies on the limb's mask.
    """
    row, column = (np.rint(place).astype(int) for place in pose.grid.pixel_of(region.points))
    height, width = pose.grid.shape
    inside = (row >= 0) & (column >= 0) & (row < height) & (column < width)
    on_limb = pose.limbs.mask(pose.affected_label)[row[inside], column[inside]]
    share = float(on_limb.sum()) / region.points.shape[0]
    if share < _LEAST_ON_LIMB:
        raise InputError(
            f"region '{region.name}'",
            f"only {100 * share:.0f} % of it lies on the affected limb in the {pose.phase} phase",
            "draw it on the affected limb of that image, and check its unit and the affected side",
        )


def seen_where_it_barely_leaves(region: Region, poses: Poses) -> Region:
    """Crop a drawn region to what both limbs show of it, where it leaves the field of a phase by a rim.

    What lies outside would count as area without counts. Where more than a rim does, the phase is refused.

    Parameters
    ----------
    region : Region
        On the reference image.
    poses : Poses
    """
    seen = np.ones(region.points.shape[0], dtype=bool)
    for pose in poses.phases.values():
        places = (pose.from_reference(region.points), pose.counterpart(region.points))
        inside = np.logical_and(*(pose.grid.contains(place, margin_px=-0.5) for place in places))
        if inside.mean() >= 1.0 - _OUTSIDE:
            seen &= inside
    return region if seen.all() else region.part(seen)


def refuse_outside(pose: PhasePose, points: Points, mirrored: Points, region: Region) -> None:
    """Refuse a drawn region that leaves the field, on either side, or lies on the other half of the image.

    Raises
    ------
    InputError
    """
    if not region.drawn:
        return
    grid: Grid = pose.grid
    for side, place in (("affected", points), ("healthy", mirrored)):
        outside = 1.0 - float(grid.contains(place, margin_px=-1.0).mean())
        if outside > _OUTSIDE:
            raise InputError(
                f"region '{region.name}'",
                f"{100 * outside:.0f} % of it lies outside the field on the {side} side "
                f"in the {pose.phase} phase",
                "draw a region that both limbs show",
            )
    strayed = 1.0 - _share_in(pose.limbs.territory == pose.affected_label, points, grid)
    if strayed > _STRAYED:
        raise InputError(
            f"region '{region.name}'",
            f"{100 * strayed:.0f} % of it does not lie on the affected side of the image",
            "draw it on the affected limb, or correct --affected",
        )


def refuse_few_counts(uptakes: Mapping[str, RegionUptake], phase: ScanPhase) -> None:
    """Refuse a phase in which a region holds too few counts for a ratio.

    Raises
    ------
    InputError
    """
    for side, uptake in uptakes.items():
        if uptake.counts < _LEAST_COUNTS or uptake.net_per_pixel <= 0:
            raise InputError(
                f"{phase} phase",
                f"the {side} region holds {uptake.counts:.0f} counts, too few for a ratio",
                "use an acquisition with more counts or a larger region",
            )


def _share_in(mask: NDArray[np.bool_], points: Points, grid: Grid) -> float:
    row, column = grid.pixel_of(points)
    r = np.clip(np.rint(row).astype(int), 0, grid.shape[0] - 1)
    c = np.clip(np.rint(column).astype(int), 0, grid.shape[1] - 1)
    return float(mask[r, c].mean())
