"""The long axis of a limb: which way it points and how far each point lies from its tip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.limbs.geometry import Grid, Points

_PROFILE_STEP_MM = 4.0
_FACING = 0.5  # cosine between the axis and the normal of an edge that cuts an end


@dataclass(frozen=True)
class LimbAxis:
    """The axis of a limb, from its tip (fingertips, toes) towards the body.

    Attributes
    ----------
    tip_mm : ndarray of shape (2,)
        Most distal point, on the axis.
    towards_body : ndarray of shape (2,)
        Unit vector.
    visible_mm : float
        Length of the limb inside the field.
    cut_proximal, cut_distal : bool
        Whether the field of view cuts the limb at its body end (usual) and at its tip (serious).
    """

    tip_mm: NDArray[np.float64]
    towards_body: NDArray[np.float64]
    visible_mm: float
    cut_proximal: bool
    cut_distal: bool

    def from_tip_mm(self, points: Points) -> NDArray[np.float64]:
        """Return how far along the axis points lie from the tip."""
        return np.asarray((points - self.tip_mm) @ self.towards_body)

    def across_mm(self, points: Points) -> NDArray[np.float64]:
        """Return how far points lie beside the axis."""
        normal = np.array([-self.towards_body[1], self.towards_body[0]])
        return np.asarray((points - self.tip_mm) @ normal)


def find_axis(mask: NDArray[np.bool_], grid: Grid, *, subject: str = "image") -> LimbAxis:
    """Find the axis of a limb from its outline.

    The body end is the end that the field of view cuts; when neither is cut, as in plantar views of whole
    feet, the narrower end (the heel) is taken for the body end.

    Raises
    ------
    InputError
        If the field cuts both ends alike, so that the tip cannot be told.
    """
    rows, columns = np.nonzero(mask)
    points = grid.points_of(rows, columns)
    centre = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((points - centre).T))
    direction = axes[:, -1] * (1.0 if axes[1, -1] >= 0 else -1.0)  # down the image
    along = (points - centre) @ direction
    on_rows = (rows <= 1) | (rows >= mask.shape[0] - 2)
    on_columns = (columns <= 1) | (columns >= mask.shape[1] - 2)
    on_edge = on_rows | on_columns
    low, high = float(along.min()), float(along.max())
    third = (high - low) / 3
    at_up, at_down = along < low + third, along > high - third
    cut_up, cut_down = int((on_edge & at_up).sum()), int((on_edge & at_down).sum())
    least = 3
    if max(cut_up, cut_down) < least:
        upper = _width(along, grid, low + 0.05 * (high - low), low + 0.3 * (high - low))
        lower = _width(along, grid, high - 0.3 * (high - low), high - 0.05 * (high - low))
        body_is_up = upper < lower
    elif _alike(cut_up, cut_down, least):
        # A finger beside the edge is cut by its side; a limb goes on beyond the edge that its end faces.
        across, down = np.abs(direction) > _FACING
        faced = (on_columns & across) | (on_rows & down)
        faced_up, faced_down = int((faced & at_up).sum()), int((faced & at_down).sum())
        if _alike(faced_up, faced_down, least):
            raise InputError(
                subject,
                "the field of view cuts the limb at both ends, so its tip cannot be told",
                "use --region whole or draw the region with --region-file",
            )
        body_is_up = faced_up > faced_down
    else:
        body_is_up = cut_up > cut_down
    towards_body = -direction if body_is_up else direction
    distances = (points - centre) @ towards_body
    tip = centre + towards_body * float(np.percentile(distances, 0.2))
    return LimbAxis(
        tip_mm=tip,
        towards_body=towards_body,
        visible_mm=high - low,
        cut_proximal=(cut_up if body_is_up else cut_down) >= least,
        cut_distal=(cut_down if body_is_up else cut_up) >= least,
    )


def _alike(first: int, second: int, least: int) -> bool:
    """Tell whether both ends are cut about as much."""
    return min(first, second) >= least and max(first, second) < 2 * min(first, second)


def width_profile(
    mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distances from the tip and the limb's width there, both in mm, in steps of 4 mm."""
    rows, columns = np.nonzero(mask)
    distance = axis.from_tip_mm(grid.points_of(rows, columns))
    steps = np.arange(0.0, max(axis.visible_mm, _PROFILE_STEP_MM) + _PROFILE_STEP_MM, _PROFILE_STEP_MM)
    area: NDArray[np.float64] = np.histogram(distance, steps)[0].astype(np.float64) * grid.pixel_mm**2
    return (steps[:-1] + steps[1:]) / 2, area / _PROFILE_STEP_MM


def _width(along: NDArray[np.float64], grid: Grid, low: float, high: float) -> float:
    return float(((along >= low) & (along < high)).sum()) * grid.pixel_mm**2 / max(high - low, 1e-9)
