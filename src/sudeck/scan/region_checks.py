"""What a region must be to be measured: in the field, on its limb and off the other, with counts in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.ratios.regions import Region
from sudeck.scan.ratios.uptake import RegionUptake

_OVERLAP = 0.03  # of a region, on the other limb
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
    for side, label, points in (
        ("affected", pose.affected_label, affected),
        ("healthy", pose.healthy_label, healthy),
    ):
        row, column = (np.rint(place).astype(int) for place in pose.grid.pixel_of(points))
        height, width = pose.grid.shape
        inside = (row >= 0) & (column >= 0) & (row < height) & (column < width)
        other = pose.limbs.labels[row[inside], column[inside]] == 3 - label
        share = float(other.mean()) if other.size else 0.0
        if share > _OVERLAP:
            raise InputError(
                f"{pose.phase} phase",
                f"{100 * share:.0f} % of the {side} region lies on the other limb: the limbs overlap, one of "
                "them is not in the image, or they differ in shape",
                "give an image of both limbs apart; of a limb a file, give both files",
            )


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
