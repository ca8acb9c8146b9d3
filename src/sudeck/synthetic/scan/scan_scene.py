"""Both limbs in the field of one phase: the activity the camera faces, and which pixels belong to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import SIDES, ScanPhase, Side, opposite
from sudeck.synthetic.limbs.limb_maps import LimbMap, asymmetry, coordinates, limb_map
from sudeck.synthetic.limbs.plane import Matrix, apply, inverse, size_of
from sudeck.synthetic.limbs.shapes import step
from sudeck.synthetic.scan.camera import Raster, image
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from sudeck.synthetic.scan.scan_pose import place_limbs

Array = NDArray[np.float64]

# A source of counts: what it is, and the limb it belongs to.
Source = tuple[str, Side | None]
BACKGROUND: Final[Source] = ("background", None)

_CAST_ENDS_MM: Final = 80.0  # beyond the wrist: fingers stay free
_CAST_EDGE_MM: Final = 4.0
_NEAR_MM: Final = 3.0  # nothing is emitted farther than this outside the skin
_HOT_SPOT_SIGMA_MM: Final = 5.0
_HOT_SPOT_FADES: Final[dict[ScanPhase, float]] = {"vascular": 1.0, "tissue": 0.7, "bone": 0.3}


@dataclass(frozen=True)
class Scene:
    """Both limbs in the field of one phase; build it with `Scene.of`.

    Attributes
    ----------
    body : LimbMap
        The anatomy of the healthy limb.
    bodies, common : mapping of side to LimbMap
        The anatomy of each limb, and the same without the digits that the other limb lacks.
    raster : Raster
        The field.
    placed : mapping of side to array[3, 3]
        Limb coordinates to image mm.
    at : mapping of side to array[y, x, 2]
        Limb coordinates of the fine grid of `raster`.
    depth : mapping of side to array[y, x]
        Distance to the skin on that grid, in mm of the image, negative inside.
    """

    design: BoneScanDesign
    phase: ScanPhase
    body: LimbMap
    bodies: Mapping[Side, LimbMap]
    common: Mapping[Side, LimbMap]
    raster: Raster
    placed: Mapping[Side, Matrix]
    at: Mapping[Side, Array]
    depth: Mapping[Side, Array]

    @classmethod
    def of(cls, design: BoneScanDesign, phase: ScanPhase, *, like: Scene | None = None) -> Scene:
        """Place the limbs of a design in the field of a phase; `like` is a scene that may show the same."""
        missing = tuple(number for side in SIDES for number in design.posture(side).missing)
        bodies, common = (
            {
                side: limb_map(
                    design.limb, design.seen_from, design.variant, design.posture(side).without(lacking)
                )
                for side in SIDES
            }
            for lacking in ((), missing)
        )
        body = bodies[opposite(design.affected)]
        raster = Raster.for_field(design.matrix_of(phase), design.spacing_of(phase))
        placed = place_limbs(design, phase)
        if like is not None and like.raster == raster and _same(like.placed, placed):
            return replace(like, phase=phase)
        axis = raster.axis_mm
        at = {side: coordinates(inverse(placed[side]), axis, axis) for side in SIDES}
        depth = {
            side: bodies[side].sample(bodies[side].distance, at[side]) * size_of(placed[side])
            for side in SIDES
        }
        return cls(design, phase, body, bodies, common, raster, placed, at, depth)

    def band(self, region: str) -> tuple[float, float] | None:
        """Return the axial interval of a named region; none for the whole limb."""
        return None if region == "whole" else self.body.anatomy.bands[region]

    def periarticular(self, side: Side) -> float:
        """Return the extra uptake of the joints of a side."""
        return self.design.periarticular if side == self.design.affected else 0.0

    def factor(self, side: Side, v: Array) -> Array | float:
        """Return the asymmetry of a side at axial positions `v`."""
        if side != self.design.affected:
            return 1.0
        even = asymmetry(v, self.band(self.design.region), self.design.ratio(self.phase))
        if self.design.cast == 1.0:
            return even
        bare = np.clip((v - _CAST_ENDS_MM) / _CAST_EDGE_MM, 0.0, 1.0)
        return np.asarray(even * (self.design.cast + (1.0 - self.design.cast) * bare))

    def grid_activity(self, side: Side) -> Array:
        """Return the activity of a side, asymmetry included, on the grid of its limb map."""
        body = self.bodies[side]
        even = body.activity(self.phase, periarticular=self.periarticular(side))
        return even * self.factor(side, body.axial_mm)

    def sources(self) -> dict[Source, Array]:
        """Return the emission per unit area on the fine grid: of each limb, in the flow of its tissues apart.

        A hot spot, where there is one, adds to them.
        """
        found: dict[Source, Array] = {}
        for side in SIDES:
            factor = self.factor(side, self.at[side][..., 1])
            near = self.depth[side] < _NEAR_MM
            body = self.bodies[side]
            whole = body.activity(self.phase, periarticular=self.periarticular(side))
            if self.phase == "vascular":
                vessels = body.activity(self.phase, only="vessels")
                parts = {"vessels": vessels, "soft": whole - vessels}
            else:
                parts = {"limb": whole}
            for name, activity in parts.items():
                emission = np.zeros_like(self.depth[side])
                emission[near] = body.sample(activity, self.at[side][near])
                found[(name, side)] = emission * factor
        injected = self.design.injection_site
        if injected is not None:
            healthy = opposite(self.design.affected)
            total = sum(
                float((found[key] * self.fine_inside(healthy)).sum()) for key in found if key[1] == healthy
            )
            found[("hot spot", injected)] = self._hot_spot(injected, total)
        return found

    def seen(self, activity: Array, *, extra_blur_mm: float = 0.0) -> Array:
        """Return the camera's noise-free image of a source."""
        return image(
            activity,
            self.raster,
            fwhm_mm=self.design.fwhm_mm + extra_blur_mm,
            scatter_fraction=self.design.scatter_fraction,
        )

    def fine_inside(self, side: Side) -> Array:
        """Return how much of each fine sample lies in a limb and in the field."""
        return step(self.depth[side], width=self._fine_mm) * self._in_field(self.raster.axis_mm)

    def coverage(self, side: Side, region: str | None = None) -> Array:
        """Return the fraction of each pixel ``[row, column]`` that a region covers.

        Parameters
        ----------
        side : {"left", "right"}
            Side of the body.
        region : str, optional
            A named region, as far as both limbs show it in the field; without, all of the limb in the field.
        """
        inside = step(self.depth[side], width=self._fine_mm)
        if region is not None:
            inside = inside * self._homologous[side]
            if self.common[side] is not self.bodies[side]:
                common = self.common[side]
                shared = common.sample(common.distance, self.at[side]) * size_of(self.placed[side])
                inside = inside * step(shared, width=self._fine_mm)
            band = self.band(region)
            if band is not None:
                v = self.at[side][..., 1]
                outside_mm = np.maximum(band[0] - v, v - band[1]) * size_of(self.placed[side])
                inside = inside * step(outside_mm, width=self._fine_mm)
        return self.raster.to_pixels(inside)

    def stretch(self, side: Side) -> Array:
        """Return how much larger each place of a limb's grid is on the other limb, where digits are bent."""
        body = self.bodies[side]
        own, others = (self.design.posture(which).lengths for which in (side, opposite(side)))
        return np.array([1.0, *(b / a for a, b in zip(own, others, strict=True))])[body.digit]

    def stretch_px(self, side: Side) -> Array:
        """Return `stretch` for each pixel of the image."""
        if len({self.design.posture(which).lengths for which in SIDES}) == 1:
            return np.ones((self.raster.size, self.raster.size))
        return self.raster.to_pixels(self.bodies[side].sample(self.stretch(side), self.at[side]))

    def in_both_fields(self, points: Array) -> Array:
        """Return 1 for limb coordinates ``[..., 2]`` that the field shows on both sides, else 0."""
        shown = np.ones(points.shape[:-1])
        for side in SIDES:
            shown *= self._in_field(apply(self.placed[side], points))
        return shown

    def labels(self) -> NDArray[np.uint8]:
        """Return 0 outside, 1 in the limb at the image left, 2 in the other (by half a pixel or more)."""
        left, right = self.design.image_left, opposite(self.design.image_left)
        nearer_left = self.raster.to_pixels(self.depth[left] - self.depth[right]) <= 0
        in_left, in_right = self.coverage(left) >= 0.5, self.coverage(right) >= 0.5
        first = in_left & (nearer_left | ~in_right)
        return np.asarray(first + 2 * (in_right & ~first), dtype=np.uint8)

    @property
    def _fine_mm(self) -> float:
        return self.raster.spacing_mm / self.raster.supersampling

    @cached_property
    def _homologous(self) -> dict[Side, Array]:
        return {side: self._in_field(apply(self.placed[opposite(side)], self.at[side])) for side in SIDES}

    def _in_field(self, points: Array) -> Array:
        half = 0.5 * self.raster.size * self.raster.spacing_mm
        if points.ndim == 1:  # the positions along one axis of the grid
            along = (np.abs(points) < half).astype(float)
            return np.asarray(along[:, None] * along)
        return np.asarray((np.abs(points[..., 0]) < half) & (np.abs(points[..., 1]) < half), dtype=float)

    def _hot_spot(self, side: Side, limb_total: float) -> Array:
        u, v = self.body.anatomy.hot_spot
        away2 = (self.at[side][..., 0] - u) ** 2 + (self.at[side][..., 1] - v) ** 2
        shape = np.exp(-0.5 * away2 / _HOT_SPOT_SIGMA_MM**2)
        amount = self.design.hot_spot * _HOT_SPOT_FADES[self.phase] * limb_total
        return np.asarray(shape * (amount / shape.sum()))


def _same(some: Mapping[Side, Matrix], others: Mapping[Side, Matrix]) -> bool:
    return all(np.array_equal(some[side], others[side]) for side in SIDES)
