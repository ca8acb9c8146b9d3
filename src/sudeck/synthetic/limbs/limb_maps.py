"""Limbs as maps of activity: an anatomy drawn once on a fine grid, then looked up wherever a pose puts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Limb, ScanPhase
from sudeck.synthetic.limbs.anatomy import Anatomy, Blob, Rod
from sudeck.synthetic.limbs.feet import foot_from_front, foot_from_sole
from sudeck.synthetic.limbs.hands import hand
from sudeck.synthetic.limbs.plane import Matrix, apply
from sudeck.synthetic.limbs.posture import FLAT, Posture
from sudeck.synthetic.limbs.shapes import Point, blob, chain_distance, smooth_union, thickness

View = Literal["palmar", "dorsal", "plantar", "anterior"]
Tissue = Literal["soft", "vessels", "bones", "joints"]

VIEWS: Final[dict[Limb, tuple[View, ...]]] = {"hand": ("palmar", "dorsal"), "foot": ("plantar", "anterior")}
TISSUES: Final[tuple[Tissue, ...]] = ("soft", "vessels", "bones", "joints")

# Relative uptake of the tissues in each phase: first vessels, then the blush of soft tissue, then bone.
UPTAKE: Final[dict[ScanPhase, dict[Tissue, float]]] = {
    "vascular": {"soft": 0.60, "vessels": 0.85, "bones": 0.0, "joints": 0.04},
    "tissue": {"soft": 0.80, "vessels": 0.32, "bones": 0.04, "joints": 0.12},
    "bone": {"soft": 0.14, "vessels": 0.0, "bones": 1.0, "joints": 1.0},
}

_GRID_MM = 1.0
_BLOB_REACH = 4.5  # standard deviations drawn of a blob
_FILLET_MM = 1.2  # how far the skin fills the corners between fingers


@dataclass(frozen=True)
class LimbMap:
    """One limb in one view, sampled on a grid of its own coordinates (`u` to the middle, `v` distal, mm).

    Attributes
    ----------
    anatomy : Anatomy
        What was drawn.
    distance : array[v, u]
        Signed distance to the skin in mm, negative inside.
    tissues : dict of str to array[v, u]
        Relative activity per unit area of each tissue, without phase weights.
    """

    anatomy: Anatomy
    distance: NDArray[np.float64]
    tissues: dict[Tissue, NDArray[np.float64]]

    def sample(self, field: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return `field` (an array of this map) at `points` ``[..., 2]`` in mm; the nearest edge outside."""
        from scipy.ndimage import map_coordinates

        u_low, _, v_low, _ = self.anatomy.extent
        at = [(points[..., 1] - v_low) / _GRID_MM, (points[..., 0] - u_low) / _GRID_MM]
        return np.asarray(map_coordinates(field, at, order=1, mode="nearest", prefilter=False))

    @cached_property
    def digit(self) -> NDArray[np.intp]:
        """The digit of each place ``[v, u]`` beyond the knuckles, 1 the thumb; 0 where there is none."""
        u, v = np.moveaxis(_grid(self.anatomy), -1, 0)
        nearest, best = np.zeros(u.shape, dtype=np.intp), np.zeros(u.shape)
        for number, rod in enumerate(self.anatomy.digits, start=1):
            (u0, v0), (u1, v1) = rod.points[0], rod.points[-1]
            beyond = (u - u0) * (u1 - u0) + (v - v0) * (v1 - v0) > 0
            depth = np.where(beyond, chain_distance(u, v, rod.points, rod.radii), np.inf)
            closer = (depth < best) & (self.distance < 0)
            nearest[closer], best[closer] = number, depth[closer]
        return nearest

    @property
    def points(self) -> NDArray[np.float64]:
        """Coordinates ``[v, u, 2]`` of the grid, as (u, v) in mm."""
        return _grid(self.anatomy)

    @property
    def axial_mm(self) -> NDArray[np.float64]:
        """Axial position `v` of the grid ``[v, u]`` in mm."""
        return np.asarray(self.points[..., 1])

    def activity(
        self, phase: ScanPhase, *, periarticular: float = 0.0, only: Tissue | None = None
    ) -> NDArray[np.float64]:
        """Return the relative activity per unit area in a phase, on the grid.

        Parameters
        ----------
        phase : {"vascular", "tissue", "bone"}
            Phase of the scan.
        periarticular : float
            Extra uptake of the joints in the bone phase, as a fraction of their own.
        only : str, optional
            Leave out every tissue but this one.
        """
        weights = dict(UPTAKE[phase])
        if phase == "bone":
            weights["joints"] *= 1 + periarticular
        chosen = [weights[name] * self.tissues[name] for name in TISSUES if only in (None, name)]
        return np.asarray(np.sum(chosen, axis=0))

    @cached_property
    def contour(self) -> NDArray[np.float64]:
        """The skin as points ``[n, 2]`` in mm, one contour, in order; it is open where the limb goes on."""
        from skimage.measure import find_contours

        u_low, _, v_low, _ = self.anatomy.extent
        rows_columns = max(find_contours(self.distance, 0.0), key=len)
        return np.asarray(rows_columns[:, ::-1] * _GRID_MM + np.array([u_low, v_low]))


@lru_cache(maxsize=64)
def limb_map(limb: Limb, view: View, variant: int = 0, posture: Posture = FLAT) -> LimbMap:
    """Return the map of a limb, drawn on the first call and kept.

    Parameters
    ----------
    limb : {"hand", "foot"}
        Which limb.
    view : {"palmar", "dorsal", "plantar", "anterior"}
        Palmar and dorsal views of a hand show the same projection.
    variant : int
        Number of a person's small differences; 0 is the average.
    posture : Posture
        What is this hand's own; feet have none.

    Raises
    ------
    InputError
        If the limb is never seen in that view, or a foot is given a posture.
    """
    if view not in VIEWS[limb]:
        raise InputError(limb, f"there is no {view} view", f"choose one of {', '.join(VIEWS[limb])}")
    if limb == "foot" and posture != FLAT:
        raise InputError("posture", "feet have none", "give postures to hands only")
    if view == "dorsal":
        return limb_map(limb, "palmar", variant, posture)
    anatomy = hand(variant, posture) if limb == "hand" else _FOOT[view](variant)
    u, v = np.moveaxis(_grid(anatomy), -1, 0)
    distance = smooth_union(
        [chain_distance(u, v, rod.points, rod.radii) for rod in anatomy.outline], width=_FILLET_MM
    )
    inside = (distance < 0).astype(float)
    small_bones = _blobs(anatomy, anatomy.spots, np.maximum)
    tissues: dict[Tissue, NDArray[np.float64]] = {
        "soft": thickness(distance, anatomy.rim_mm),
        "vessels": inside * _rods(anatomy, anatomy.vessels),
        "bones": inside * np.asarray(np.maximum(_rods(anatomy, anatomy.bones), small_bones)),
        "joints": inside * _blobs(anatomy, anatomy.joints, np.add),
    }
    if posture.above:
        tissues = _laid_over_each_other(view, variant, posture)
    return LimbMap(anatomy, distance, tissues)


def _laid_over_each_other(view: View, variant: int, posture: Posture) -> dict[Tissue, NDArray[np.float64]]:
    """Return the tissues of a hand some of whose digits lie above others, theirs added to the rest."""
    rest, alone, bare = posture.laid()
    tissues = dict(limb_map("hand", view, variant, rest).tissues)
    palm = limb_map("hand", view, variant, bare).tissues
    for one in alone:
        digit = limb_map("hand", view, variant, one).tissues
        for name in TISSUES:
            tissues[name] = tissues[name] + np.maximum(digit[name] - palm[name], 0.0)
    return tissues


def asymmetry(v: NDArray[np.float64], band: tuple[float, float] | None, ratio: float) -> NDArray[np.float64]:
    """Return the factor on the affected limb's activity at the axial position `v` (mm).

    It equals `ratio` all over the band, so the region itself is uniform, and falls to 1 outside of it as half
    a cosine over `TAPER_MM`. Without a band it is `ratio` everywhere.
    """
    if band is None:
        return np.full_like(v, ratio)
    outside = np.maximum(band[0] - v, v - band[1])
    weight = 0.5 + 0.5 * np.cos(np.pi * np.clip(outside / TAPER_MM, 0.0, 1.0))
    return np.asarray(1.0 + (ratio - 1.0) * weight)


def coordinates(to_limb: Matrix, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the limb coordinates ``[y, x, 2]`` of the grid of image positions `x`, `y` in mm."""
    return apply(to_limb, np.stack(np.meshgrid(x, y), axis=-1))


def _rods(anatomy: Anatomy, rods: Sequence[Rod]) -> NDArray[np.float64]:
    """Draw rods on the grid; where several cross, the strongest shows."""
    grid = _grid(anatomy)
    drawn = np.zeros(grid.shape[:2])
    for rod in rods:
        window = _window(anatomy, rod.points, max(rod.radii))
        u, v = np.moveaxis(grid[window], -1, 0)
        seen = rod.uptake * thickness(chain_distance(u, v, rod.points, rod.radii), max(rod.radii))
        drawn[window] = np.maximum(drawn[window], seen)
    return drawn


def _blobs(anatomy: Anatomy, blobs: Sequence[Blob], combine: np.ufunc) -> NDArray[np.float64]:
    """Draw blobs on the grid, out to where they have faded."""
    grid = _grid(anatomy)
    drawn = np.zeros(grid.shape[:2])
    for spot in blobs:
        window = _window(anatomy, [spot.centre], _BLOB_REACH * max(spot.sigma))
        u, v = np.moveaxis(grid[window], -1, 0)
        drawn[window] = combine(drawn[window], spot.uptake * blob(u, v, spot.centre, spot.sigma))
    return drawn


def _window(anatomy: Anatomy, points: Sequence[Point], reach_mm: float) -> tuple[slice, slice]:
    """Return the part of the grid within `reach_mm` of the box around `points`."""
    u_low, _, v_low, _ = anatomy.extent
    low, high = np.min(points, axis=0) - reach_mm, np.max(points, axis=0) + reach_mm
    first = np.maximum((low - (u_low, v_low)) // _GRID_MM, 0).astype(int)
    last = np.maximum((high - (u_low, v_low)) // _GRID_MM + 2, 0).astype(int)
    return slice(first[1], last[1]), slice(first[0], last[0])


def _grid(anatomy: Anatomy) -> NDArray[np.float64]:
    u_low, u_high, v_low, v_high = anatomy.extent
    u = np.arange(u_low, u_high + _GRID_MM / 2, _GRID_MM)
    v = np.arange(v_low, v_high + _GRID_MM / 2, _GRID_MM)
    return np.stack(np.meshgrid(u, v), axis=-1)


TAPER_MM: Final = 10.0
_FOOT: Final = {"plantar": foot_from_sole, "anterior": foot_from_front}
