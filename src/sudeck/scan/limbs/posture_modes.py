"""How the places of two limbs of one person may lie differently: smooth modes of displacement.

Fingers spread and bend about the wrist, an arm lies turned in it, joints lie a little apart from one side to
the other. All that is one Gaussian process of displacements in polar coordinates about the wrist (feet: a
point behind the toes): across the digits places move the more the farther they lie beyond the knuckles, alike
within a digit; along the digits they hardly move. Skin moves outwards where soft tissue swells over bones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Points

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[np.float64]

STEP_MM = 5.0
# Standard deviations of the difference of two limbs, and over what it is alike; they were found on hands of a
# phantom of its own. Tangential: everywhere, and for each mm beyond the knuckles (about 6 degrees a finger).
_ACROSS_SD_MM = 0.6
_ACROSS_A_MM = 0.10
_THUMB_A_MM = 0.16  # thumbs lie as they like
_ACROSS_REACH_MM = (12.0, 45.0)  # across and along
_ALONG_SD_MM = 0.7
_ALONG_REACH_MM = 35.0
_SWING_SD = math.radians(4.0)  # of what lies behind the wrist
_SWING_BEGINS_MM = 20.0
_THUMB_RAD = (math.radians(25.0), math.radians(75.0))
# Of the half-width of palm and forearm, along which it is alike, and of which half-width.
_GIRTH_SD = 0.05
_GIRTH_REACH_MM = 45.0
_GIRTH_MM = 40.0
_LEFT_MM2 = 0.2  # variance of a displacement that no mode describes
_NOWHERE_MM = 1e-9  # less is none: processors take ten times as long for the products of so little
_MOST_MODES = 90


@dataclass(frozen=True)
class LimbFrame:
    """Polar coordinates of a limb.

    Attributes
    ----------
    centre_mm : ndarray, shape [2]
        The wrist of a hand.
    distal : ndarray, shape [2]
        Unit vector towards the fingertips.
    knuckles_mm, thumb_mm : float
        Distance from the centre beyond which digits, and the thumb, move by themselves.
    thumb : {-1, 0, 1}
        On which side of the axis the thumb lies, as the sign of the angle; 0 where there is none.
    """

    centre_mm: Array
    distal: Array
    knuckles_mm: float
    thumb_mm: float
    thumb: int

    def polar(self, points: Points) -> tuple[Array, Array]:
        """Return distance from the centre and angle from the axis, in mm and rad."""
        arm = points - self.centre_mm
        along = arm @ self.distal
        across = arm @ np.array([-self.distal[1], self.distal[0]])
        return np.hypot(along, across), np.arctan2(across, along)


@dataclass(frozen=True)
class DisplacementGrid:
    """Nodes every `STEP_MM` over a limb, between which displacements are read bilinearly.

    Attributes
    ----------
    origin : ndarray, shape [2]
        The first node, in mm.
    shape : tuple of int
        Nodes along y and x.
    """

    origin: Array
    shape: tuple[int, int]

    @classmethod
    def over(cls, points: Points, margin_mm: float) -> DisplacementGrid:
        """Cover points and a margin around them."""
        low, high = points.min(axis=0) - margin_mm, points.max(axis=0) + margin_mm
        columns, rows = (np.ceil((high - low) / STEP_MM).astype(int) + 1).tolist()
        return cls(low, (rows, columns))

    @cached_property
    def nodes(self) -> Points:
        """The nodes, row by row."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]]
        return self.origin + STEP_MM * np.stack([columns.ravel(), rows.ravel()], axis=-1)

    def reading(self, points: Points) -> csr_array:
        """Return the matrix that reads values at points from values at nodes; the edge goes on outside."""
        from scipy.sparse import csr_array

        place = np.clip((points - self.origin) / STEP_MM, 0.0, np.array(self.shape[::-1]) - 1.000001)
        first = place.astype(np.intp)
        (fx, fy), (c0, r0) = (place - first).T, first.T
        corner = r0 * self.shape[1] + c0
        columns = np.stack([corner, corner + 1, corner + self.shape[1], corner + self.shape[1] + 1], axis=1)
        shares = np.stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx], axis=1)
        rows = np.arange(0, 4 * points.shape[0] + 1, 4)
        return csr_array(
            (shares.ravel(), columns.ravel(), rows), shape=(points.shape[0], self.shape[0] * self.shape[1])
        )


def posture_modes(frame: LimbFrame, nodes: Points, tissue: NDArray[np.bool_]) -> tuple[Array, int]:
    """Return displacements of one standard deviation each, independent of each other.

    Parameters
    ----------
    frame : LimbFrame
    nodes : ndarray, shape [n, 2]
        In mm.
    tissue : ndarray of bool, shape [n]
        Where there is something to displace.

    Returns
    -------
    modes : ndarray, shape [2, n, mode]
        Along x and y, in mm.
    girth : int
        How many of them, the first ones, make palm and forearm thicker.
    """
    distance, angle = frame.polar(nodes)
    # Unit vectors outwards and along rising angle.
    normal = np.array([-frame.distal[1], frame.distal[0]])
    outwards = np.cos(angle)[:, None] * frame.distal + np.sin(angle)[:, None] * normal
    sideways = -np.sin(angle)[:, None] * frame.distal + np.cos(angle)[:, None] * normal
    behind = np.cos(angle) < 0

    free = _ACROSS_A_MM * np.maximum(distance - frame.knuckles_mm, 0.0)
    if frame.thumb:
        in_sector = (frame.thumb * angle > _THUMB_RAD[0]) & (frame.thumb * angle < _THUMB_RAD[1])
        free = np.where(in_sector, _THUMB_A_MM * np.maximum(distance - frame.thumb_mm, 0.0), free)
    sd = _ACROSS_SD_MM + np.where(behind, 0.0, free)
    across = _low_rank(distance, angle, sd, _ACROSS_REACH_MM, tissue)
    along = _low_rank(
        distance, angle, np.full_like(sd, _ALONG_SD_MM), (_ALONG_REACH_MM, _ALONG_REACH_MM), tissue
    )
    begins = np.clip(-distance * np.cos(angle) / _SWING_BEGINS_MM, 0.0, 1.0)
    swing = (_SWING_SD * distance * begins)[:, None]
    girth = _girth(distance * np.cos(angle), distance * np.sin(angle), frame.knuckles_mm, tissue)
    fields = (
        normal[:, None, None] * girth,
        sideways.T[:, :, None] * np.concatenate([across, swing], axis=1),
        outwards.T[:, :, None] * along,
    )
    modes = np.concatenate(fields, axis=2)
    modes[np.abs(modes) < _NOWHERE_MM] = 0.0
    return np.ascontiguousarray(modes), girth.shape[1]


def _girth(along: Array, across: Array, knuckles: float, tissue: NDArray[np.bool_]) -> Array:
    """Return displacements across the limb where it is thicker, all of it or the more the nearer the skin."""
    nodes = np.arange(along[tissue].min(), knuckles + _GIRTH_REACH_MM / 2, _GIRTH_REACH_MM)
    # Bumps a reach apart whose squares add up to one.
    bumps = np.exp(-(((along[:, None] - nodes) / _GIRTH_REACH_MM) ** 2))
    bumps /= np.sqrt(np.sum(bumps**2, axis=1, keepdims=True)).clip(min=0.3)
    bumps *= np.clip((knuckles + _GIRTH_REACH_MM - along) / _GIRTH_REACH_MM, 0.0, 1.0)[:, None]
    even = _GIRTH_SD * across[:, None] * bumps
    return np.concatenate([even, even * (across[:, None] / _GIRTH_MM) ** 2], axis=1)


def _low_rank(
    distance: Array, angle: Array, sd: Array, reach_mm: tuple[float, float], tissue: NDArray[np.bool_]
) -> Array:
    """Return columns whose products add up to the covariance of the process: a Cholesky factor with pivots.

    It goes on until nowhere in the tissue more than `_LEFT_MM2` is left.
    """
    left = np.where(tissue, sd**2, 0.0)
    columns = np.empty((sd.size, _MOST_MODES))
    number = 0
    while number < _MOST_MODES:
        pivot = int(left.argmax())
        if left[pivot] < _LEFT_MM2:
            break
        turned = np.abs(angle - angle[pivot])
        turned = np.minimum(turned, 2 * np.pi - turned) * np.sqrt(distance * distance[pivot])
        apart = (turned / reach_mm[0]) ** 2 + ((distance - distance[pivot]) / reach_mm[1]) ** 2
        column = sd * sd[pivot] * np.exp(-0.5 * apart)
        column -= columns[:, :number] @ columns[pivot, :number]
        column /= math.sqrt(left[pivot])
        columns[:, number] = column
        left = np.where(tissue, np.maximum(left - column**2, 0.0), 0.0)
        left[pivot] = 0.0
        number += 1
    return columns[:, :number]
