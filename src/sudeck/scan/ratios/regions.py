"""Regions on the affected limb, as sample points: what a region is, and those named after the anatomy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import JOINT_REGIONS, NAMED_REGIONS, Limb
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.ratios.bands import band_mm, shows_sole
from sudeck.scan.ratios.joint_regions import foot_joints, hand_joints

SAMPLES_PER_PIXEL = 2  # along each direction: a region is measured in quarters of a pixel
_EDGE_MARGIN_PX = 0.5


@dataclass(frozen=True)
class Region:
    """A region on the affected limb, as sample points of equal area.

    Attributes
    ----------
    name : str
        ``"whole"``, ``"ankle"`` …, or the name a person gave.
    points : ndarray, shape [n, 2]
        Sample points (x, y) in mm on the reference image.
    area_mm2 : float
        Area of the whole region.
    drawn : bool
        Whether a person drew it.
    rim : ndarray of bool, shape [n]
        The sample points within one pixel of an outline that was found, not drawn: it may be that wrong.
    on_affected, on_healthy : ndarray of bool, shape [n], or None
        The sample points inside the outline of the affected limb, and those whose counterpart lies inside
        that of the healthy one; None where a person drew the region.
    beside_left_out : ndarray of bool, shape [n], or None
        The sample points close to a part that was left out for want of a counterpart.
    touching_mm2 : float
        Area left out of the whole limb because it lies on the other limb.
    on_one_limb : ndarray, shape [m, 2], or None
        Places left out because only one of both limbs is there (see `on_both_limbs`).
    """

    name: str
    points: Points
    area_mm2: float
    drawn: bool
    rim: NDArray[np.bool_]
    on_affected: NDArray[np.bool_] | None = None
    on_healthy: NDArray[np.bool_] | None = None
    beside_left_out: NDArray[np.bool_] | None = None
    touching_mm2: float = 0.0
    on_one_limb: Points | None = None

    @property
    def touching_share(self) -> float:
        """Area left out where the limbs touch, over that of the region if it reaches there."""
        beside = self.beside_left_out is not None and bool(self.beside_left_out.any())
        return self.touching_mm2 / self.area_mm2 if beside else 0.0

    @cached_property
    def everywhere(self) -> Points:
        """Its sample points, and those left out because only one of both limbs is there."""
        return self.points if self.on_one_limb is None else np.concatenate([self.points, self.on_one_limb])

    def part(self, kept: NDArray[np.bool_], *, name: str | None = None) -> Region:
        """Return the part of a region whose sample points are kept; refuses none at all."""
        name = self.name if name is None else name
        points = self.points[kept]
        if points.shape[0] == 0:
            raise InputError(
                f"region '{name}'", "no part of it lies inside the image on both sides", "choose another"
            )
        return Region(
            name,
            points,
            self.area_mm2 * points.shape[0] / self.points.shape[0],
            self.drawn,
            self.rim[kept],
            None if self.on_affected is None else self.on_affected[kept],
            None if self.on_healthy is None else self.on_healthy[kept],
            None if self.beside_left_out is None else self.beside_left_out[kept],
            self.touching_mm2,
            self.on_one_limb,
        )

    def on_both_limbs(self) -> Region:
        """Return a found region without the places that lie inside the outline of one limb alone.

        Where fingers are spread unequally, the web that one hand closes is air between those of the other:
        such places are no tissue of both, and would count as area without counts on one side.
        """
        if self.on_affected is None or self.on_healthy is None:
            return self
        both = self.on_affected & self.on_healthy
        if both.all() or not both.any():
            return self
        return replace(self.part(both), on_one_limb=self.points[~both])


@lru_cache(maxsize=4)
def sample_points(grid: Grid) -> Points:
    """Return the sample points of a whole image, `SAMPLES_PER_PIXEL` along each direction of a pixel."""
    step = 1.0 / SAMPLES_PER_PIXEL
    rows = np.arange(-0.5 + step / 2, grid.shape[0] - 0.5, step)
    columns = np.arange(-0.5 + step / 2, grid.shape[1] - 0.5, step)
    points = grid.points_of(*np.meshgrid(rows, columns, indexing="ij")).reshape(-1, 2)
    points.flags.writeable = False  # kept for the next region of the same image
    return points


def whole_limb(
    affected: NDArray[np.bool_],
    healthy: NDArray[np.bool_],
    grid: Grid,
    mirror: Callable[[Points], Points],
) -> Region:
    """Return the whole affected limb as a region.

    It is the union of the affected limb and the mirrored healthy one, so that neither loses counts to the
    other's outline, as far as both are inside the field.

    Parameters
    ----------
    affected, healthy : ndarray of bool, shape [row, column]
        Outlines of the two limbs on the reference image.
    grid : Grid
    mirror : callable
        From points of the affected to those of the healthy limb.
    """
    samples = sample_points(grid)
    homologous = mirror(samples)
    inside = grid.contains(samples, margin_px=-_EDGE_MARGIN_PX) & grid.contains(
        homologous, margin_px=_EDGE_MARGIN_PX
    )
    on_affected, on_healthy = _at(affected, samples, grid), _at(healthy, homologous, grid)
    inside &= on_affected | on_healthy
    rim = _rim(on_affected | on_healthy, grid)
    area = samples.shape[0] * grid.pixel_mm**2 / SAMPLES_PER_PIXEL**2
    return Region("whole", samples, area, False, rim, on_affected, on_healthy).part(inside)


def anatomical_region(
    name: str,
    limb: Limb | None,
    *,
    whole: Region,
    affected: NDArray[np.bool_],
    grid: Grid,
    axis: LimbAxis | None,
    view: str = "unknown",
) -> Region:
    """Return a named region: the whole limb, a band between two distances from its tip, or a row of joints.

    Parameters
    ----------
    name : str
        One of `sudeck.core.vocabulary.NAMED_REGIONS` of the limb.
    limb : {"hand", "foot"} or None
        Needed for every region but the whole limb.
    whole : Region
        From `whole_limb`.
    affected : ndarray of bool, shape [row, column]
        Outline of the affected limb on the reference image.
    grid : Grid
    axis : LimbAxis or None
        Of the affected limb; needed for every region but the whole limb.
    view : str
        Of the reference image: ``"plantar"`` shows whole soles.

    Raises
    ------
    InputError
        If the name is not a region of this limb, or the limb's tip is not in the field.
    """
    if name == "whole":
        return whole
    if limb is None:
        raise InputError(
            f"region '{name}'",
            "the scan does not say whether it shows hands or feet",
            "say so with --limb",
        )
    if name not in NAMED_REGIONS[limb]:
        raise InputError(
            f"region '{name}'",
            f"it is no region of the {limb}",
            f"choose one of {', '.join(NAMED_REGIONS[limb])}",
        )
    if axis is None or axis.cut_distal:
        raise InputError(
            f"region '{name}'",
            "the field of view cuts the tip of the limb, from which regions are counted",
            "use --region whole or draw the region with --region-file",
        )
    if name in JOINT_REGIONS[limb]:
        inside = (
            hand_joints(name, whole.points, affected, grid, axis)
            if limb == "hand"
            else foot_joints(whole.points, affected, grid, axis, sole=shows_sole(view, axis))
        )
        return whole.part(inside, name=name)
    low, high = band_mm(name, limb, affected, grid, axis, view)
    distance = axis.from_tip_mm(whole.points)
    first = name in ("fingers", "forefoot")
    inside = (distance < high) & ((distance >= low) | first)
    return whole.part(inside, name=name)


def outline(points: Points, grid: Grid) -> list[NDArray[np.float64]]:
    """Return the closed outlines [n, 2] in mm of a region's sample points, for drawing."""
    from scipy import ndimage
    from skimage.measure import find_contours

    rows, columns = grid.pixel_of(points)
    image = np.zeros((grid.shape[0] * SAMPLES_PER_PIXEL + 16, grid.shape[1] * SAMPLES_PER_PIXEL + 16))
    r, c = (np.rint(place * SAMPLES_PER_PIXEL + 8).astype(int) for place in (rows, columns))
    kept = (r >= 0) & (c >= 0) & (r < image.shape[0]) & (c < image.shape[1])
    image[r[kept], c[kept]] = 1.0
    image = ndimage.gaussian_filter(ndimage.grey_closing(image, size=(3, 3)), 1.0)
    lines = [line for line in find_contours(image, 0.5) if len(line) > 12]
    return [grid.points_of(*((line.T - 8) / SAMPLES_PER_PIXEL)) for line in lines]


def _rim(inside: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Tell which samples of a whole image lie inside, but within one pixel of the edge."""
    from scipy import ndimage

    shape = (grid.shape[0] * SAMPLES_PER_PIXEL, grid.shape[1] * SAMPLES_PER_PIXEL)
    image = inside.reshape(shape)
    # Beyond the field the limb goes on: the field's edge is no outline.
    eroded = ndimage.binary_erosion(image, iterations=SAMPLES_PER_PIXEL, border_value=1)
    return np.asarray((image & ~eroded).reshape(-1))


def _at(mask: NDArray[np.bool_], points: Points, grid: Grid) -> NDArray[np.bool_]:
    """Tell which points lie inside a mask, its edge taken halfway between pixel centres."""
    row, column = grid.pixel_of(points)
    r, c = np.rint(row).astype(int), np.rint(column).astype(int)
    inside = (r >= 0) & (c >= 0) & (r < mask.shape[0]) & (c < mask.shape[1])
    found = np.zeros(points.shape[0], dtype=bool)
    found[inside] = mask[r[inside], c[inside]]
    return found
