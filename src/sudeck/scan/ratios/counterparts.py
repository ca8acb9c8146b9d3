"""Tissue that one limb has and the other lacks: a finger missing, bent away, or covered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.limb_image import smoothed
from sudeck.scan.limbs.poses import Poses
from sudeck.scan.ratios.regions import SAMPLES_PER_PIXEL, Region

_SMOOTHING_MM = 4.0
# Tissue stands at this part of its limb's typical level or more; its counterpart is absent below that part
# of it, and never above that part of the other limb's typical level: a hot joint has a counterpart.
_PRESENT = 0.30
_ABSENT = 0.22
_ABSENT_LEVEL = 0.13
_FADING = 0.5  # around absent tissue, a counterpart below that part of it goes with it
_NARROW_MM = 2.5  # strips up to twice as wide are an outline that lies a little beside its counterpart
_LEAST_MM2 = 50.0
BESIDE_MM = 6.0  # the camera's resolution: so far a part that one limb lacks still shines on the other


@dataclass(frozen=True)
class OneSided:
    """What of a region has no counterpart.

    Attributes
    ----------
    affected, healthy : ndarray of bool, shape [n]
        The sample points at which only the affected, only the healthy limb has tissue.
    """

    affected: NDArray[np.bool_]
    healthy: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """The sample points without a counterpart on either limb."""
        return self.affected | self.healthy

    def flags(self, region: Region) -> list[Flag]:
        """Say what is left out of a region on both sides."""
        flags = []
        area = region.area_mm2 / region.points.shape[0]
        for side, other, points in (
            ("affected", "healthy", self.affected),
            ("healthy", "affected", self.healthy),
        ):
            if points.any():
                share = float(points.mean())
                flags.append(
                    Flag(
                        "no-counterpart",
                        f"{area * points.sum() / 100:.0f} cm² of the {side} limb ({100 * share:.0f} %) have "
                        f"no counterpart on the {other} one: a part that is missing, bent or covered. They "
                        "are left out on both sides, so the ratios hold for the rest.",
                        "caution",
                        "scan",
                        share,
                    )
                )
        return flags


def one_sided(region: Region, poses: Poses) -> OneSided:
    """Find what of the whole limb has no counterpart, by the uptake of all phases together.

    Outlines alone would take fingers beside a hot wrist for missing.

    Parameters
    ----------
    region : Region
        The whole limb on the reference image.
    poses : Poses
    """
    affected, healthy = _levels(region.points, poses)
    grid = poses.phases[poses.reference].grid
    found = [
        _lacking(own, other, region.points, grid) for own, other in ((affected, healthy), (healthy, affected))
    ]
    # What lies on the other limb is no part that is missing: there limbs overlap, which is refused later.
    apart = ~_on_other_limb(region.points, poses)
    return OneSided(*(lacking & apart for lacking in found))


def _on_other_limb(points: Points, poses: Poses) -> NDArray[np.bool_]:
    on_other = np.zeros(points.shape[0], dtype=bool)
    for pose in poses.phases.values():
        own = pose.from_reference(points)
        for place, other in ((own, pose.healthy_label), (pose.counterpart(points), pose.affected_label)):
            row, column = (np.rint(at).astype(np.intp) for at in pose.grid.pixel_of(place))
            height, width = pose.grid.shape
            labels = pose.limbs.labels[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
            on_other |= labels == other
    return on_other


def leave_out(region: Region, lacking: NDArray[np.bool_], grid: Grid) -> Region:
    """Return a region without some of its sample points, their surroundings marked as less sure.

    Parameters
    ----------
    region : Region
    lacking : ndarray of bool, shape [n]
        The sample points to leave out.
    grid : Grid
        Of the reference image.
    """
    from scipy import ndimage

    if not lacking.any():
        return region
    to_image, from_image = raster(region.points, grid)
    step = grid.pixel_mm / SAMPLES_PER_PIXEL
    near = from_image(ndimage.distance_transform_edt(~to_image(lacking)) * step <= BESIDE_MM)
    if region.beside_left_out is not None:
        near = near | region.beside_left_out
    return replace(region, beside_left_out=near).part(~lacking)


def _levels(points: Points, poses: Poses) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over the phases of both limbs' uptake at homologous points, over its median."""
    totals = [np.zeros(points.shape[0]), np.zeros(points.shape[0])]
    for pose in poses.phases.values():
        own = pose.from_reference(points)
        for total, limb, place in zip(
            totals, (pose.affected(), pose.healthy()), (own, pose.counterpart(points)), strict=True
        ):
            image = smoothed(limb.counts, _SMOOTHING_MM / pose.grid.pixel_mm) - limb.background
            values = Bilinear.at(*pose.grid.pixel_of(place), image.shape)(image)
            total += values / max(float(np.median(values)), 1e-9) / len(poses.phases)
    return totals[0], totals[1]


def _lacking(
    own: NDArray[np.float64], other: NDArray[np.float64], points: Points, grid: Grid
) -> NDArray[np.bool_]:
    from scipy import ndimage

    absent = (own > _PRESENT) & (other < np.minimum(_ABSENT * own, _ABSENT_LEVEL))
    fading = (own > _ABSENT_LEVEL) & (other < _FADING * own)
    if not absent.any():
        return absent
    to_image, from_image = raster(points, grid)
    step = grid.pixel_mm / SAMPLES_PER_PIXEL
    reach = round(_NARROW_MM / step)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = x**2 + y**2 <= (reach + 0.5) ** 2
    seeds = ndimage.binary_opening(to_image(absent), disk)
    parts, count = ndimage.label(seeds)
    sizes = ndimage.sum_labels(seeds, parts, np.arange(1, count + 1)) * step**2
    seeds = np.isin(parts, 1 + np.flatnonzero(sizes >= _LEAST_MM2))
    if not seeds.any():
        return np.zeros_like(absent)
    around = ndimage.binary_opening(to_image(fading), disk) | seeds
    return from_image(ndimage.binary_propagation(seeds, mask=around))


def raster(
    points: Points, grid: Grid
) -> tuple[
    Callable[[NDArray[np.bool_]], NDArray[np.bool_]], Callable[[NDArray[np.bool_]], NDArray[np.bool_]]
]:
    """Return how values at sample points become an image of samples, and back."""
    row, column = (
        np.rint((place + 0.5) * SAMPLES_PER_PIXEL - 0.5).astype(np.intp) for place in grid.pixel_of(points)
    )
    shape = (grid.shape[0] * SAMPLES_PER_PIXEL, grid.shape[1] * SAMPLES_PER_PIXEL)

    def to_image(values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        image = np.zeros(shape, dtype=bool)
        image[row, column] = values
        return image

    return to_image, lambda image: np.asarray(image[row, column])
